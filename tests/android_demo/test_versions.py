"""The Gradle files for Android Studio agree with versions.toml, which the tested build reads."""

import re
from pathlib import Path

import pytest

from android_demo.maven import fetch
from android_demo.versions import APP_FOLDER, SOURCES, read_app, read_packages
from pocket_bokeh.errors import UserError

GRADLE_FILE = APP_FOLDER / "app" / "build.gradle.kts"
GRADLE = GRADLE_FILE.read_text()

# Replaces Maven and writes other files than the project requests.
WRONG_MAVEN = """#!/usr/bin/env python3
import re, sys
from pathlib import Path
project = Path(sys.argv[sys.argv.index("-f") + 1]).read_text()
folder = Path(re.search("<outputDirectory>(.*)</outputDirectory>", project)[1])
for item in re.findall("<artifactItem>(.*?)</artifactItem>", project):
    _, name, version, kind = re.findall(">([^<]+)<", item)
    (folder / f"{name}-{version}.{kind}").write_text("something else")
"""


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


def test_gradle_adds_qualcomms_runtime_only_when_asked() -> None:
    before, option, after = GRADLE.partition('providers.gradleProperty("qualcommRuntime").orNull')
    assert option
    assert "com.qualcomm" not in before
    assert len(re.findall(r'implementation\("com\.qualcomm\.qti:[\w-]+:\$version"\)', after)) == 2


def test_gradle_builds_the_same_sources() -> None:
    assert "sourceSets" not in GRADLE  # so they lie beside its file, as they do by default
    assert (GRADLE_FILE.parent / "src" / "main").samefile(SOURCES)
    classes = [file.name for file in APP_FOLDER.rglob("*.java")]
    assert "MainActivity.java" in classes
    assert len(classes) == len(set(classes)), "a class has a second copy"


def test_every_package_has_a_checksum_and_a_file_of_its_own() -> None:
    every = read_packages("app", "build", "api", "gradle", "test")
    assert all(re.fullmatch(r"[0-9a-f]{64}", package.sha256) for package in every)
    assert len({package.file for package in every}) == len(every)
    assert len({package.id for package in every}) == len(every)


def test_a_file_with_another_checksum_is_refused(
    commands: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    maven = commands / "mvn"
    maven.write_text(WRONG_MAVEN)
    maven.chmod(0o755)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    with pytest.raises(UserError, match=r"versions\.toml expects"):
        fetch("app")
    cache = tmp_path / "cache"
    assert cache.is_dir()
    assert not [file for file in cache.rglob("*") if file.is_file()]
