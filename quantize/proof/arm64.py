"""Installs a 64-bit Arm Python with LiteRT for emulation: python -m quantize.proof.arm64

It needs Debian with apt, dpkg and package sources for arm64, but no root access: everything goes
into a folder of the user's cache.
"""

import os
import shutil
import subprocess
import tempfile
from pathlib import Path

from pocket_bokeh.errors import UserError, run_command
from quantize.compilers.installation import cache_folder, find_uv

ARM64_PYTHON = Path("usr/bin/python3.11")

_SYSTEM = ("python3", "libstdc++6")
_PACKAGES = ("ai-edge-litert==1.4.0", "numpy==1.26.4")
"""Not LiteRT 2.3, which crashes under qemu 7.2."""


def arm64_folder() -> Path:
    """The installation: `system` has Debian's files, `packages` Python's."""
    return cache_folder() / "arm64"


def main() -> None:
    folder = arm64_folder()
    if (folder / "system" / ARM64_PYTHON).is_file():
        print(f"{folder}: installed already")
        return
    install(folder)
    print(f"{folder}: 64-bit Arm Python with LiteRT; quantize.verify runs it with qemu-aarch64")


def install(folder: Path) -> None:
    """Creates the installation atomically.

    Raises:
        UserError: a tool or package is missing.
    """
    uv = find_uv()
    for tool, found in (("apt-get", shutil.which("apt-get")), ("uv", uv)):
        if not found:
            raise UserError(f"{tool} is missing; 64-bit Arm can only be installed on Debian")
    folder.parent.mkdir(parents=True, exist_ok=True)
    beside = Path(tempfile.mkdtemp(prefix=f".{folder.name}.", dir=folder.parent))
    try:
        _install_system(beside)
        _call(
            [
                *(str(uv), "pip", "install", "--quiet", "--target", str(beside / "packages")),
                *("--python-platform", "aarch64-manylinux_2_28", "--python-version", "3.11"),
                *("--only-binary", ":all:", *_PACKAGES),
            ]
        )
        shutil.rmtree(beside / "apt")
        shutil.rmtree(folder, ignore_errors=True)
        os.rename(beside, folder)
    except BaseException:
        shutil.rmtree(beside, ignore_errors=True)
        raise


def _install_system(folder: Path) -> None:
    """Downloads and unpacks Debian's Arm packages with their dependencies."""
    apt = folder / "apt"
    for name in ("state/lists/partial", "cache/archives/partial"):
        (apt / name).mkdir(parents=True)
    (apt / "status").touch()  # empty: nothing is installed yet
    options = {
        "APT::Architecture": "arm64",
        "APT::Architectures": "arm64",
        "Dir::State": apt / "state",
        "Dir::State::status": apt / "status",
        "Dir::Cache": apt / "cache",
    }
    command = ["apt-get", "-qq", *(f"-o{name}={value}" for name, value in options.items())]
    _call([*command, "update"])
    _call([*command, "--yes", "--no-install-recommends", "--download-only", "install", *_SYSTEM])
    for package in sorted((apt / "cache" / "archives").glob("*.deb")):
        _call(["dpkg-deb", "--extract", str(package), str(folder / "system")])
    if not (folder / "system" / ARM64_PYTHON).is_file():
        raise UserError(f"this Debian's Python is not {ARM64_PYTHON.name}, which LiteRT 1.4 needs")


def _call(command: list[str]) -> None:
    ended = subprocess.run(command, capture_output=True, text=True)
    if ended.returncode:
        lines = (ended.stderr or ended.stdout).strip().splitlines() or ["no message"]
        raise UserError(f"{Path(command[0]).name} failed: {lines[-1]}")


if __name__ == "__main__":
    run_command(main)
