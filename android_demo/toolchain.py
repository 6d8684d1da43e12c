"""Unpacks the build's tools from the downloaded packages, once: aapt2, Android, TFLite."""

import os
import shutil
import tempfile
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from android_demo.maven import cache_folder, fetch
from android_demo.page_size import lay_out_for_16_kb, why_not_16_kb
from android_demo.versions import read_app, read_packages
from pocket_bokeh.photo import write_atomically

_UNPACKED = "unpacked-2"
"""Folder name; increase the number when the unpacked files change."""

_PUBLIC_PACKAGES = (
    *("android/", "dalvik/", "java/", "javax/", "org/"),
    "com/android/internal/annotations/",  # javac reads them on public classes
)


@dataclass(frozen=True)
class Toolchain:
    """Paths of the build's tools.

    Attributes:
        aapt2: compiles and links resources.
        framework: Android's resources.
        android: Android's classes, to compile with.
        r8: contains D8, which compiles class files to Android's bytecode.
        libraries: the class files of TFLite.
        natives: folder of TFLite's native libraries, by ABI.
    """

    aapt2: Path
    framework: Path
    android: Path
    r8: Path
    libraries: tuple[Path, ...]
    natives: Path


def prepare_toolchain() -> Toolchain:
    """Downloads and unpacks what is not in the cache yet."""
    packages = fetch("app", "build")
    unpacked = cache_folder() / _UNPACKED
    if not unpacked.is_dir():
        make_whole(unpacked, lambda folder: _unpack(packages, folder))
    return Toolchain(
        aapt2=unpacked / "aapt2",
        framework=unpacked / "android-framework.jar",
        android=unpacked / "android.jar",
        r8=packages["com.android.tools:r8"],
        libraries=tuple(unpacked / f"{package.name}.jar" for package in read_packages("app")),
        natives=unpacked / "jni",
    )


def unpack_classes(archive: Path, to: Path) -> None:
    """Extracts the class files of an .aar as a .jar, whole or not at all."""
    with zipfile.ZipFile(archive) as opened:
        write_atomically(to, opened.read("classes.jar"))


def _unpack(packages: dict[str, Path], folder: Path) -> None:
    with zipfile.ZipFile(packages["org.apktool:apktool-lib"]) as apktool:
        (folder / "aapt2").write_bytes(apktool.read("prebuilt/linux/aapt2"))
        (folder / "aapt2").chmod(0o755)
        framework = apktool.read("prebuilt/android-framework.jar")
        (folder / "android-framework.jar").write_bytes(framework)
    _keep_public_packages(packages["org.robolectric:android-all"], folder / "android.jar")
    wanted = tuple(f"jni/{abi}/" for abi in read_app().abis)
    for package in read_packages("app"):
        unpack_classes(packages[package.id], folder / f"{package.name}.jar")
        with zipfile.ZipFile(packages[package.id]) as archive:
            for entry in archive.namelist():
                if entry.startswith(wanted) and entry.endswith(".so"):
                    archive.extract(entry, folder)
    for library in sorted((folder / "jni").glob("*/*.so")):
        content = library.read_bytes()
        if not why_not_16_kb(content):
            library.write_bytes(lay_out_for_16_kb(content))


def _keep_public_packages(archive: Path, to: Path) -> None:
    """Copies Android's public packages; its internal ones are much larger."""
    with zipfile.ZipFile(archive) as whole, zipfile.ZipFile(to, "w") as kept:
        for name in whole.namelist():
            if name.startswith(_PUBLIC_PACKAGES) and name.endswith(".class"):
                kept.writestr(name, whole.read(name))


def make_whole(folder: Path, fill: Callable[[Path], object]) -> None:
    """Creates a folder with its contents, whole or not at all.

    Args:
        folder: if another process creates it at the same time, the other's is kept.
        fill: writes the contents into the empty folder that it is given.
    """
    folder.parent.mkdir(parents=True, exist_ok=True)
    beside = Path(tempfile.mkdtemp(prefix=f".{folder.name}.", dir=folder.parent))
    try:
        fill(beside)
        try:
            os.rename(beside, folder)
        except OSError:
            if not folder.is_dir():
                raise
    finally:
        shutil.rmtree(beside, ignore_errors=True)
