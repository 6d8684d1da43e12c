"""The programs that Debian brings, and calling them."""

import shutil
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

from pocket_bokeh.errors import UserError

PACKAGES = {
    "java": "default-jdk-headless",
    "javac": "default-jdk-headless",
    "keytool": "default-jdk-headless",
    "mvn": "maven",
    "apksigner": "apksigner",
    "gcc": "gcc",
    "aarch64-linux-gnu-gcc": "gcc-aarch64-linux-gnu libc6-dev-arm64-cross",
    "qemu-aarch64": "qemu-user",
    "readelf": "binutils",
    "adb": "adb",
}
"""By program, what to ask apt-get for."""


def require(*programs: str) -> None:
    """Checks that programs are there before anything is begun.

    Raises:
        UserError: one is missing; says which Debian packages bring all that are.
    """
    missing = [program for program in programs if not shutil.which(program)]
    if missing:
        packages = " ".join(dict.fromkeys(PACKAGES[program] for program in missing))
        raise UserError(f"{', '.join(missing)} is missing; ask for: apt-get install {packages}")


def call(command: Sequence[object], environment: Mapping[str, str] | None = None) -> str:
    """Runs a program to its end.

    Args:
        command: words and paths.
        environment: in place of this process's.

    Returns:
        What it wrote on standard output.

    Raises:
        UserError: it failed; its own words follow, for they name the line at fault.
    """
    ended = subprocess.run(
        [str(part) for part in command], capture_output=True, text=True, env=environment
    )
    if ended.returncode:
        said = (ended.stderr + ended.stdout).strip() or "no message"
        raise UserError(
            f"{Path(str(command[0])).name} failed with {ended.returncode}: {said[-4000:]}"
        )
    return ended.stdout
