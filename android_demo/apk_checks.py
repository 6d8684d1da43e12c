"""Checks of a finished APK that need no phone; each says what it found."""

import re
import zipfile
from pathlib import Path

from android_demo.build import LARGEST, build_unsigned
from android_demo.page_size import is_for_16_kb, refuses_16_kb
from android_demo.programs import call
from android_demo.toolchain import Toolchain
from android_demo.versions import AppVersions
from pocket_bokeh.bundle import Bundle, sha256
from pocket_bokeh.errors import UserError

FOR_BOTH_PAGE_SIZES = "lib/arm64-v8a/libtensorflowlite_jni.so"
"""The library that runs the models on the CPU of a phone."""


def check_same_bytes(
    unsigned: Path, bundle: Bundle, app: AppVersions, tools: Toolchain, again: Path
) -> str:
    """A second build has the first one's bytes.

    Args:
        unsigned: the first build.
        bundle: the models in it.
        app: for all of whose processors it was built.
        tools: what it was built with.
        again: where the second build is written.

    Raises:
        UserError: the two differ.
    """
    build_unsigned(bundle, app, app.abis, tools, again)
    first, second = (sha256(file.read_bytes()) for file in (unsigned, again))
    if first != second:
        raise UserError(f"two builds differ: {first} and {second}")
    return first


def check_size(package: Path) -> str:
    """It is no larger than a store's listing allows.

    Raises:
        UserError: it is.
    """
    size = package.stat().st_size
    if size > LARGEST:
        raise UserError(f"{size} bytes, more than {LARGEST}")
    return f"{size / 1e6:.2f} MB"


def check_signature(package: Path, app: AppVersions) -> str:
    """Android's own tool accepts it for every Android that the app is for.

    Raises:
        UserError: it does not, or a scheme is missing.
    """
    low = str(app.min_sdk)
    said = call(["apksigner", "verify", "--verbose", "--min-sdk-version", low, package])
    schemes = re.findall(r"Verified using (v[23]) scheme .*: true", said)
    if schemes != ["v2", "v3"]:
        raise UserError(f"schemes {schemes}, expected v2 and v3")
    return "schemes v2 and v3 verified"


def check_badging(package: Path, app: AppVersions, tools: Toolchain) -> str:
    """It has the name, levels and processors of versions.toml, and asks for no permission.

    Raises:
        UserError: something differs; says what.
    """
    said = call([tools.aapt2, "dump", "badging", package])
    permissions = re.findall(r"uses-permission.*", said)
    if permissions:
        raise UserError(f"it asks for {permissions}")
    expected = (
        f"name='{app.id}'",
        f"versionName='{app.version_name}'",
        f"minSdkVersion:'{app.min_sdk}'",
        f"targetSdkVersion:'{app.target_sdk}'",
        f"launchable-activity: name='{app.id}.screen.MainActivity'",
        f"native-code: {' '.join(repr(abi) for abi in sorted(app.abis))}",
    )
    missing = [line for line in expected if line not in said]
    if missing:
        raise UserError(f"it does not say {missing}")
    return f"Android {app.min_sdk} to {app.target_sdk}, {', '.join(app.abis)}, no permission"


def check_page_sizes(package: Path) -> str:
    """Which libraries can be loaded where memory has pages of 16 KB, and why others cannot.

    Raises:
        UserError: the one that runs the models on a phone's CPU cannot.
    """
    said = []
    with zipfile.ZipFile(package) as opened:
        for name in sorted(name for name in opened.namelist() if name.endswith(".so")):
            content = opened.read(name)
            if is_for_16_kb(content):
                said.append(f"{name}: 4 and 16 KB")
            else:
                said.append(f"{name}: 4 KB alone, {refuses_16_kb(content)}")
    if f"{FOR_BOTH_PAGE_SIZES}: 4 and 16 KB" not in said:
        raise UserError("; ".join(said) or "no native library")
    return "\n  ".join(said)
