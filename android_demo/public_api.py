"""Checks that the app uses Android's public API alone, and nothing newer than the phone has.

The lists are those of Google's SDK, as the signatures of gummy-bears give them, for Android 8 and
14; animal-sniffer reads them. What is hidden in Android stands on neither list. A method marked
`@FromApi` may use what is newer than Android 8; the source says where the level is looked at.
"""

import re
from collections.abc import Sequence
from pathlib import Path

from android_demo.maven import fetch
from android_demo.programs import call, require
from android_demo.versions import APP_FOLDER, SOURCES
from pocket_bokeh.errors import UserError

OLDEST, NEWEST = 26, 34
"""The levels of the two lists; the newest one that there is."""

_MARK = "app.pocketbokeh.FromApi"


def check_public_api(classes: Sequence[Path]) -> None:
    """Holds compiled classes against both lists.

    Args:
        classes: folders and jars, all that goes into the app.

    Raises:
        UserError: something is hidden, or newer than the oldest Android; names it and its place.
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
    """Calls of methods marked `@FromApi` that do not stand behind a look at the level.

    Returns:
        One line each: the file and the method.
    """
    missing = []
    for file in sorted(SOURCES.glob("java/**/*.java")):
        text = file.read_text()
        for method in re.findall(r"@FromApi\(\d+\)\s+(?:[\w<>]+\s+)+?(\w+)\(", text):
            for before in re.split(rf"\b{method}\(", text)[:-1]:
                declared = re.search(r"@FromApi\(\d+\)\s+(?:[\w<>]+\s+)+$", before)
                statement = before.rsplit("}", 1)[-1]
                if not declared and not re.search(r"if \(Build\.VERSION\.SDK_INT >=", statement):
                    missing.append(f"{file.name}: {method}")
    return missing
