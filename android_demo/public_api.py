"""Checks that the app uses only Android's public API, and newer API only on newer phones.

animal-sniffer compares the classes with the public API of Android 8 and 14, as listed by the
gummy-bears signatures of Google's SDK. Hidden API is on neither list. A method marked `@FromApi`
may use API that is newer than Android 8 if its callers check the level.
"""

import re
from collections.abc import Sequence
from pathlib import Path

from android_demo.maven import fetch
from android_demo.programs import call, require
from android_demo.versions import APP_FOLDER, SOURCES
from pocket_bokeh.errors import UserError

OLDEST, NEWEST = 26, 34
"""API levels of the two lists; there is no list newer than 34."""

_MARK = "app.pocketbokeh.FromApi"


def check_public_api(classes: Sequence[Path]) -> None:
    """Compares compiled classes with both lists.

    Args:
        classes: folders and jars of everything in the app.

    Raises:
        UserError: names the API that is hidden or newer than the oldest supported Android.
    """
    _check(OLDEST, _MARK, classes)
    _check(NEWEST, "nothing.IsLeftOut", classes)


def _check(level: int, left_out: str, classes: Sequence[Path]) -> None:
    require("java")
    packages = fetch("api", "test")
    names = ("org.codehaus.mojo:animal-sniffer", "org.ow2.asm:asm")
    path = ":".join(str(packages[name]) for name in names)
    signatures = packages[f"com.toasttab.android:gummy-bears-api-{level}"]
    try:
        call(
            [
                "java",
                "-cp",
                path,
                APP_FOLDER / "host" / "PublicApi.java",
                signatures,
                left_out,
                *classes,
            ]
        )
    except UserError as error:
        found = "; ".join(re.findall(r"Undefined reference: (.*)", str(error))) or str(error)
        raise UserError(f"not in the public API of level {level}: {found}") from error


def unchecked_calls() -> list[str]:
    """Finds calls of methods marked `@FromApi` outside a check of the API level.

    Returns:
        For each call, "file: method".
    """
    require("java")
    files = sorted(SOURCES.glob("java/**/*.java"))
    return call(["java", APP_FOLDER / "host" / "ApiLevels.java", *files]).splitlines()
