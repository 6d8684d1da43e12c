"""Finds and runs programs that Debian packages provide."""

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
"""The Debian packages of each program."""


def require(*programs: str) -> None:
    """Checks that programs are installed.

    Raises:
        UserError: some are missing; says which Debian packages to install.
    """
    missing = [program for program in programs if not shutil.which(program)]
    if missing:
        packages = " ".join(dict.fromkeys(PACKAGES[program] for program in missing))
        raise UserError(f"{', '.join(missing)} is missing; run: apt-get install {packages}")


def call(command: Sequence[object], environment: Mapping[str, str] | None = None) -> str:
    """Runs a program to its end.

    Args:
        command: the program and its arguments.
        environment: its environment variables; None for those of this process.

    Returns:
        Its standard output.

    Raises:
        UserError: it failed; contains the end of its output.
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
