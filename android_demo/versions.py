"""versions.toml: what the app is called, which Android it is for, which packages it is made of."""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

APP_FOLDER = Path(__file__).parent
SOURCES = APP_FOLDER / "app" / "src" / "main"


@dataclass(frozen=True)
class AppVersions:
    """The table `app`: identity and Android levels; `abis` as in an APK's folder `lib`."""

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
    """One file of Maven Central. `type` is its ending."""

    group: str
    name: str
    version: str
    type: str
    sha256: str

    @property
    def id(self) -> str:
        """Group and name: unlike the name alone, its own."""
        return f"{self.group}:{self.name}"

    @property
    def file(self) -> str:
        """Its name there."""
        return f"{self.name}-{self.version}.{self.type}"


def read_app() -> AppVersions:
    """The table `app`."""
    stored = _read()["app"]
    return AppVersions(**{**stored, "abis": (*stored["abis"],), "recipes": (*stored["recipes"],)})


def read_packages(*groups: str) -> tuple[Package, ...]:
    """The packages of some groups: app, build, api, test."""
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
