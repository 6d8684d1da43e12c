"""Reads versions.toml: the app's name, its Android versions and the packages it is built from."""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

APP_FOLDER = Path(__file__).parent
SOURCES = APP_FOLDER / "app" / "src" / "main"


@dataclass(frozen=True)
class AppVersions:
    """The table `app`: name, version and API levels; `abis` are named as in an APK's `lib`."""

    id: str
    version_code: int
    version_name: str
    min_sdk: int
    target_sdk: int
    java: int
    abis: tuple[str, ...]
    recipes: tuple[str, ...]


@dataclass(frozen=True)
class Package:
    """One file on Maven Central; `type` is its file extension."""

    group: str
    name: str
    version: str
    type: str
    sha256: str

    @property
    def id(self) -> str:
        """Group and name, which together are unique."""
        return f"{self.group}:{self.name}"

    @property
    def file(self) -> str:
        """Its file name."""
        return f"{self.name}-{self.version}.{self.type}"


def read_app() -> AppVersions:
    """Reads the table `app`."""
    stored = _read()["app"]
    return AppVersions(**{**stored, "abis": (*stored["abis"],), "recipes": (*stored["recipes"],)})


def read_packages(*groups: str) -> tuple[Package, ...]:
    """Reads the packages of some groups: app, build, api, test."""
    stored = _read()["packages"]
    return tuple(
        _package(coordinates, sha256)
        for group in groups
        for coordinates, sha256 in stored[group].items()
    )


def _package(coordinates: str, sha256: str) -> Package:
    group, name, version, kind = coordinates.split(":")
    return Package(group, name, version, kind, sha256)


def _read() -> Mapping[str, dict]:
    return tomllib.loads((APP_FOLDER / "versions.toml").read_text())
