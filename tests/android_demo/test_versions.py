"""The Gradle files for Android Studio say what the tested build reads."""

import re
from pathlib import Path

import pytest

from android_demo import packages
from android_demo.packages import fetch
from android_demo.versions import ROOM, SOURCES, Package, read_app, read_packages
from train.errors import UserError

GRADLE = (ROOM / "app" / "build.gradle.kts").read_text()


def test_gradle_builds_the_same_app() -> None:
    app = read_app()
    for line in (
        f'namespace = "{app.id}"',
        f'applicationId = "{app.id}"',
        f"compileSdk = {app.target_sdk}",
        f"minSdk = {app.min_sdk}",
        f"targetSdk = {app.target_sdk}",
        f"versionCode = {app.version_code}",
        f'versionName = "{app.version_name}"',
        f"JavaVersion.VERSION_{app.java}",
    ):
        assert line in GRADLE, line
    (abis,) = re.findall(r"abiFilters \+= listOf\((.*)\)", GRADLE)
    assert tuple(re.findall(r'"(.*?)"', abis)) == app.abis


def test_gradle_takes_the_same_packages() -> None:
    asked = re.findall(r'implementation\("(.*?)@(\w+)"\)', GRADLE)
    assert [tuple(f"{name}:{kind}".split(":")) for name, kind in asked] == [
        (package.group, package.name, package.version, package.type)
        for package in read_packages("app")
    ]


def test_the_sources_have_no_second_copy() -> None:
    assert SOURCES.is_relative_to(ROOM / "app")
    assert "sourceSets" not in GRADLE


def test_every_package_has_a_checksum_and_a_file_of_its_own() -> None:
    every = read_packages("app", "build", "api", "test")
    assert all(re.fullmatch(r"[0-9a-f]{64}", package.sha256) for package in every)
    assert len({package.file for package in every}) == len(every)
    assert len({package.id for package in every}) == len(every)


def test_another_file_than_the_pinned_one_is_refused(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    wrong = Package("androidx.tracing", "tracing", "1.1.0", "aar", "0" * 64)
    monkeypatch.setattr(packages, "require", lambda *programs: None)
    monkeypatch.setattr(
        packages, "_fetch_with_maven", lambda _, folder: (folder / wrong.file).touch()
    )
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setattr(packages, "read_packages", lambda *groups: (wrong,))
    with pytest.raises(UserError, match="not the file that"):
        fetch("test")
    assert not list(tmp_path.glob("**/*.aar"))


def test_no_other_room_knows_the_app() -> None:
    """It reads a bundle; what leads to the bundle does not lead back."""
    for room in ("train", "quantize", "gradio_app"):
        for file in (ROOM.parent / room).glob("*.py"):
            assert "android_demo" not in file.read_text(), file


def test_it_reads_a_bundle_and_shares_nothing_else_with_the_workshop() -> None:
    allowed = {"quantize.bundle", "train.errors", "train.photo"}
    for file in ROOM.glob("*.py"):
        asked = re.findall(
            r"^\s*from ((?:train|quantize|gradio_app)[\w.]*)", file.read_text(), re.M
        )
        assert set(asked) <= allowed, file
