"""The package: the same twice, signed, small, asking for nothing; and what cannot be built."""

import re
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from android_demo.build import BuildOptions, build_unsigned, check
from android_demo.package_file import size_by_part
from android_demo.page_size import is_for_16_kb, lay_out_for_16_kb, refuses_16_kb
from android_demo.programs import call
from android_demo.signing import machine_key, own_key, sign
from android_demo.toolchain import bring_toolchain
from android_demo.versions import read_app
from quantize.bundle import Bundle
from train.errors import UserError


@pytest.fixture(scope="module")
def package(java: None, bundle: Bundle, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Signed, with the unsigned one beside it."""
    folder = tmp_path_factory.mktemp("package")
    app = read_app()
    build_unsigned(bundle, app, app.abis, bring_toolchain(), folder / "unsigned.apk")
    sign(folder / "unsigned.apk", folder / "signed.apk", machine_key(), app.min_sdk)
    return folder / "signed.apk"


def test_a_second_build_has_the_same_bytes(package: Path, bundle: Bundle, tmp_path: Path) -> None:
    app = read_app()
    build_unsigned(bundle, app, app.abis, bring_toolchain(), tmp_path / "again.apk")
    first = package.with_name("unsigned.apk")
    assert (tmp_path / "again.apk").read_bytes() == first.read_bytes()


def test_it_is_signed_for_every_android_that_it_is_for(package: Path) -> None:
    low = str(read_app().min_sdk)
    said = call(["apksigner", "verify", "--verbose", "--min-sdk-version", low, package])
    assert re.findall(r"Verified using (v[23]) scheme .*: true", said) == ["v2", "v3"]


def test_it_asks_for_no_permission(package: Path) -> None:
    said = call([bring_toolchain().aapt2, "dump", "badging", package])
    assert "uses-permission" not in said
    assert "name='app.pocketbokeh'" in said
    assert "minSdkVersion:'26'" in said
    assert "targetSdkVersion:'36'" in said
    assert "native-code: 'arm64-v8a' 'x86_64'" in said


def test_nothing_of_the_users_is_backed_up(package: Path) -> None:
    tools = bring_toolchain()
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


def test_the_arm_library_is_for_both_page_sizes(package: Path) -> None:
    with zipfile.ZipFile(package) as opened:
        libraries = {name: opened.read(name) for name in opened.namelist() if ".so" in name}
    for_both = {name for name, content in libraries.items() if is_for_16_kb(content)}
    assert for_both == {"lib/arm64-v8a/libtensorflowlite_jni.so"}
    for name in libraries.keys() - for_both:
        assert "share the page" in refuses_16_kb(libraries[name])
        with pytest.raises(ValueError, match="share the page"):
            lay_out_for_16_kb(libraries[name])


def test_a_key_of_ones_own_needs_its_password(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(UserError, match="no such keystore"):
        own_key(tmp_path / "own.p12")
    (tmp_path / "own.p12").touch()
    monkeypatch.delenv("KEYSTORE_PASSWORD", raising=False)
    with pytest.raises(UserError, match="KEYSTORE_PASSWORD"):
        own_key(tmp_path / "own.p12")


def test_another_keystore_that_is_none_is_a_sentence(
    package: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "own.p12").write_bytes(b"no key")
    monkeypatch.setenv("KEYSTORE_PASSWORD", "secret")
    with pytest.raises(UserError, match="apksigner"):
        sign(package, tmp_path / "signed.apk", own_key(tmp_path / "own.p12"), 26)
    assert not (tmp_path / "signed.apk").exists()


def test_what_cannot_be_built_is_said_before_anything_is_fetched(
    java: None, tmp_path: Path
) -> None:
    app = read_app()
    for options, words in (
        (BuildOptions(abi=("mips",)), "name some of arm64-v8a, x86_64"),
        (BuildOptions(out=tmp_path / "app.zip"), r"name an \.apk"),
        (BuildOptions(out=tmp_path / "none" / "app.apk"), "no such folder"),
    ):
        with pytest.raises(UserError, match=words):
            check(options, app)


def test_without_java_it_says_what_brings_it(
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
