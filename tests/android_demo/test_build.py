"""The APK is reproducible, signed, small and without permissions; bad options are refused."""

import dataclasses
import re
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from android_demo.apk_checks import (
    FOR_BOTH_PAGE_SIZES,
    check_badging,
    check_page_sizes,
    check_same_bytes,
    check_signature,
)
from android_demo.apk_file import size_by_part
from android_demo.build import BuildOptions, build_unsigned, check
from android_demo.page_size import lay_out_for_16_kb
from android_demo.programs import call
from android_demo.signing import machine_key, own_key, sign
from android_demo.toolchain import prepare_toolchain
from android_demo.versions import read_app
from pocket_bokeh.bundle import Bundle
from pocket_bokeh.errors import UserError

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def package(java: None, bundle: Bundle, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The signed APK, with the unsigned one beside it."""
    folder = tmp_path_factory.mktemp("package")
    app = read_app()
    build_unsigned(bundle, app, app.abis, prepare_toolchain(), folder / "unsigned.apk")
    sign(folder / "unsigned.apk", folder / "signed.apk", machine_key(), app.min_sdk)
    return folder / "signed.apk"


def test_a_second_build_has_the_same_bytes(package: Path, bundle: Bundle, tmp_path: Path) -> None:
    unsigned, app, tools = package.with_name("unsigned.apk"), read_app(), prepare_toolchain()
    check_same_bytes(unsigned, bundle, app, tools, tmp_path / "again.apk")
    with pytest.raises(UserError, match="two builds differ"):
        check_same_bytes(package, bundle, app, tools, tmp_path / "again.apk")


def test_every_supported_android_accepts_the_signature(package: Path) -> None:
    check_signature(package, read_app())
    with pytest.raises(UserError, match="apksigner failed"):
        check_signature(package.with_name("unsigned.apk"), read_app())


def test_the_manifest_is_right_and_requests_no_permission(package: Path) -> None:
    app, tools = read_app(), prepare_toolchain()
    said = check_badging(package, app, tools)
    assert said == "Android 26 to 36, arm64-v8a, x86_64, no permission"
    for other in ({"version_name": "9.9"}, {"min_sdk": 21}, {"abis": ("x86",)}):
        with pytest.raises(UserError, match="does not contain"):
            check_badging(package, dataclasses.replace(app, **other), tools)


def test_user_data_is_not_backed_up(package: Path) -> None:
    tools = prepare_toolchain()
    said = call([tools.aapt2, "dump", "xmltree", package, "--file", "AndroidManifest.xml"])
    assert re.search(r"allowBackup\(0x\w+\)=false", said)


def test_it_holds_the_models_and_little_else(package: Path, bundle: Bundle) -> None:
    with zipfile.ZipFile(package) as opened:
        names = set(opened.namelist())
        resources = opened.getinfo("resources.arsc")
    first, second = (model.file for model in bundle.models_of("float16"))
    assert f"assets/bundle/{first}" in names
    assert f"assets/bundle/{second}.difference" in names
    assert resources.compress_type == zipfile.ZIP_STORED
    sizes = size_by_part(package)
    assert sum(sizes.values()) == package.stat().st_size
    # With a bundle of 8 MB, a model of each recipe, this stays well below 20 MB.
    assert package.stat().st_size - sizes["models"] < 8_000_000


def test_the_arm_library_works_with_both_page_sizes(package: Path, tmp_path: Path) -> None:
    lines = check_page_sizes(package).split("\n  ")
    for_both = [line for line in lines if line.endswith(": 4 and 16 KB")]
    assert for_both == [f"{FOR_BOTH_PAGE_SIZES}: 4 and 16 KB"]
    assert len(lines) == 4
    assert all("share the page" in line for line in lines if line not in for_both)
    without = tmp_path / "without.apk"
    with zipfile.ZipFile(package) as opened, zipfile.ZipFile(without, "w") as kept:
        for name in opened.namelist():
            if name != FOR_BOTH_PAGE_SIZES:
                kept.writestr(name, opened.read(name))
        gpu = opened.read("lib/arm64-v8a/libtensorflowlite_gpu_jni.so")
    with pytest.raises(UserError, match="4 KB only"):
        check_page_sizes(without)
    with pytest.raises(ValueError, match="share the page"):
        lay_out_for_16_kb(gpu)


def test_your_own_key_needs_its_password(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(UserError, match="no such keystore"):
        own_key(tmp_path / "own.p12")
    (tmp_path / "own.p12").touch()
    monkeypatch.delenv("KEYSTORE_PASSWORD", raising=False)
    with pytest.raises(UserError, match="KEYSTORE_PASSWORD"):
        own_key(tmp_path / "own.p12")


def test_a_file_that_is_no_keystore_is_reported(
    package: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "own.p12").write_bytes(b"no key")
    monkeypatch.setenv("KEYSTORE_PASSWORD", "secret")
    with pytest.raises(UserError, match="apksigner"):
        sign(package, tmp_path / "signed.apk", own_key(tmp_path / "own.p12"), 26)
    assert not (tmp_path / "signed.apk").exists()


def test_bad_options_are_refused_before_anything_is_downloaded(java: None, tmp_path: Path) -> None:
    app = read_app()
    for options, words in (
        (BuildOptions(abi=("mips",)), "name some of arm64-v8a, x86_64"),
        (BuildOptions(out=tmp_path / "app.zip"), r"name an \.apk"),
        (BuildOptions(out=tmp_path / "none" / "app.apk"), "no such folder"),
    ):
        with pytest.raises(UserError, match=words):
            check(options, app)


def test_a_missing_java_is_reported_with_its_package(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(UserError, match="apt-get install default-jdk-headless apksigner"):
        check(BuildOptions(), read_app())


def test_the_build_starts_without_tensorflow() -> None:
    code = (
        "import android_demo.build, android_demo.prove, sys; "
        "print({'tensorflow', 'keras', 'tf_keras', 'jax'} & set(sys.modules))"
    )
    loaded = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    assert loaded.stdout.strip() == "set()"
