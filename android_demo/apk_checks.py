"""Checks of a finished APK that need no phone; each returns what it found."""

import re
import zipfile
from pathlib import Path

from android_demo.build import LARGEST, build_unsigned
from android_demo.page_size import is_for_16_kb, why_not_16_kb
from android_demo.programs import call
from android_demo.toolchain import Toolchain
from android_demo.versions import AppVersions
from pocket_bokeh.bundle import Bundle, sha256
from pocket_bokeh.errors import UserError

FOR_BOTH_PAGE_SIZES = "lib/arm64-v8a/libtensorflowlite_jni.so"
"""The library that runs models on a phone's CPU."""


def check_same_bytes(
    unsigned: Path, bundle: Bundle, app: AppVersions, tools: Toolchain, again: Path
) -> str:
    """Checks that a second build has the same bytes.

    Args:
        unsigned: the first build.
        bundle: whose models are in it.
        app: it was built for all of its processors.
        tools: with which it was built.
        again: where to write the second build.

    Raises:
        UserError: the two differ.
    """
    build_unsigned(bundle, app, app.abis, tools, again)
    first, second = (sha256(file.read_bytes()) for file in (unsigned, again))
    if first != second:
        raise UserError(f"two builds differ: {first} and {second}")
    return first


def check_size(package: Path) -> str:
    """Checks that the APK is not larger than `LARGEST`.

    Raises:
        UserError: it is larger.
    """
    size = package.stat().st_size
    if size > LARGEST:
        raise UserError(f"{size} bytes, more than {LARGEST}")
    return f"{size / 1e6:.2f} MB"


def check_signature(package: Path, app: AppVersions) -> str:
    """Checks with apksigner that every supported Android accepts the signature.

    Raises:
        UserError: one would not, or a signature scheme is missing.
    """
    low = str(app.min_sdk)
    said = call(["apksigner", "verify", "--verbose", "--min-sdk-version", low, package])
    schemes = re.findall(r"Verified using (v[23]) scheme .*: true", said)
    if schemes != ["v2", "v3"]:
        raise UserError(f"schemes {schemes}, expected v2 and v3")
    return "schemes v2 and v3 verified"


def check_badging(package: Path, app: AppVersions, tools: Toolchain) -> str:
    """Checks that the manifest agrees with versions.toml and requests no permission.

    Raises:
        UserError: something differs; says what.
    """
    said = call([tools.aapt2, "dump", "badging", package])
    permissions = re.findall(r"uses-permission.*", said)
    if permissions:
        raise UserError(f"the app requests {permissions}, expected no permission")
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
        raise UserError(f"the manifest does not contain {missing}")
    return f"Android {app.min_sdk} to {app.target_sdk}, {', '.join(app.abis)}, no permission"


def check_page_sizes(package: Path) -> str:
    """Checks which libraries can be loaded with 16 KB memory pages, and why others cannot.

    Raises:
        UserError: the library that runs models on a phone's CPU cannot.
    """
    said = []
    with zipfile.ZipFile(package) as opened:
        for name in sorted(name for name in opened.namelist() if name.endswith(".so")):
            content = opened.read(name)
            if is_for_16_kb(content):
                said.append(f"{name}: 4 and 16 KB")
            else:
                said.append(f"{name}: 4 KB only, {why_not_16_kb(content)}")
    if f"{FOR_BOTH_PAGE_SIZES}: 4 and 16 KB" not in said:
        raise UserError("; ".join(said) or "the APK has no native library")
    return "\n  ".join(said)
