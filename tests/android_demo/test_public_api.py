"""The app uses no API that is hidden or too new for the oldest supported phone."""

from pathlib import Path

import pytest

from android_demo import public_api
from android_demo.host_app import HostApp
from android_demo.programs import call
from android_demo.public_api import check_public_api, unchecked_calls
from android_demo.toolchain import prepare_toolchain
from pocket_bokeh.errors import UserError


def test_the_app_uses_only_the_public_api(host_app: HostApp) -> None:
    check_public_api([host_app.folder / "classes", *prepare_toolchain().libraries])
    assert unchecked_calls() == []


def test_hidden_and_too_new_api_is_named(java: None, tmp_path: Path) -> None:
    source = tmp_path / "Use.java"
    source.write_text(
        """class Use {
    void use(android.graphics.Bitmap bitmap) {
        android.os.SystemProperties.get("ro.product.board");
        bitmap.setColorSpace(null);
        java.nio.ByteBuffer.allocate(1).rewind();
    }
}"""
    )
    android = prepare_toolchain().android
    call(["javac", "--release", "17", "-cp", android, "-d", tmp_path / "classes", source])
    with pytest.raises(UserError) as refused:
        check_public_api([tmp_path / "classes"])
    for name in ("SystemProperties", "setColorSpace", "rewind"):
        assert name in str(refused.value)


def test_a_call_without_a_check_of_the_level_is_found(
    java: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "java").mkdir()
    (tmp_path / "java" / "Use.java").write_text(
        """class Use {
    void safe() {
        if (Build.VERSION.SDK_INT >= 29) {
            log(newer());
        }
    }
    void bold() {
        if (Build.VERSION.SDK_INT >= 29) {
            log("");
        }
        newer();
    }
    void turnedRound() {
        if (Build.VERSION.SDK_INT >= 29) {
        } else {
            this.newer();
        }
    }
    @FromApi(29)
    private static Answer newer() {}
}"""
    )
    (tmp_path / "java" / "Other.java").write_text(
        """class Other {
    void newer() {}
    void bold() {
        newer();
        Use.newer();
    }
    @FromApi(29)
    void safe() {
        Use.newer();
    }
}"""
    )
    monkeypatch.setattr(public_api, "SOURCES", tmp_path)
    assert unchecked_calls() == ["Other.java: Use.newer", "Use.java: newer", "Use.java: newer"]
