"""Builds the app from Java to a signed APK, without Android's SDK: python -m android_demo.build"""

import os
import tempfile
import time
import zipfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import tyro

from android_demo.apk_file import size_by_part, write_apk
from android_demo.assets import write_assets
from android_demo.install import install
from android_demo.programs import call, require
from android_demo.signing import machine_key, own_key, sign
from android_demo.toolchain import Toolchain, prepare_toolchain
from android_demo.versions import SOURCES, AppVersions, read_app
from pocket_bokeh.bundle import SHIPPED_BUNDLE, Bundle, read_bundle, sha256
from pocket_bokeh.errors import UserError, run_command

LARGEST = 20_000_000
"""Bytes of an APK with both ABIs and the models of a bundle."""

QUICK_JVM = ("-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1")
"""For short runs. The simplest garbage collector and compiler halve the time of a build."""


@dataclass(frozen=True)
class BuildOptions:
    """Builds the app with the models of a bundle, and signs it."""

    bundle: Path = SHIPPED_BUNDLE
    """A bundle, as written by `quantize.export`."""
    out: Path = Path("pocket-bokeh.apk")
    """The signed package; the unsigned one is written beside it."""
    abi: tuple[str, ...] = field(default_factory=lambda: read_app().abis)
    """The processors it is for."""
    keystore: Path | None = None
    """A keystore with your own key; its password in KEYSTORE_PASSWORD. Default: a key that is made
    once for this machine."""
    install: bool = False
    """Also installs the app on the connected phone, with adb."""


def main() -> None:
    options = tyro.cli(BuildOptions)
    app = read_app()
    check(options, app)
    bundle = read_bundle(options.bundle)
    with _timed("packages"):
        toolchain = prepare_toolchain()
    unsigned = options.out.with_suffix(".unsigned.apk")
    build_unsigned(bundle, app, options.abi, toolchain, unsigned)
    key = own_key(options.keystore) if options.keystore else machine_key()
    sign(unsigned, options.out, key, app.min_sdk)
    report(options.out, unsigned)
    if options.install:
        install(options.out)


def check(options: BuildOptions, app: AppVersions) -> None:
    """Checks the options before anything is downloaded.

    Raises:
        UserError: a program or the folder to write to is missing, or an ABI is unknown.
    """
    require("java", "javac", "keytool", "apksigner", *(["adb"] if options.install else []))
    unknown = [abi for abi in options.abi if abi not in app.abis]
    if unknown or not options.abi:
        raise UserError(f"--abi {' '.join(unknown)}: name some of {', '.join(app.abis)}")
    if options.out.suffix != ".apk":
        raise UserError(f"{options.out}: name an .apk file")
    if not options.out.parent.is_dir():
        raise UserError(f"{options.out.parent}: no such folder; make it or name another --out")


def build_unsigned(
    bundle: Bundle, app: AppVersions, abis: Sequence[str], tools: Toolchain, file: Path
) -> None:
    """Writes the unsigned APK, whole or not at all. The same inputs give the same bytes."""
    with tempfile.TemporaryDirectory(prefix=f".{file.name}.", dir=file.parent) as folder:
        work = Path(folder)
        with _timed("resources"):
            link_resources(app, tools, work)
        with _timed("javac"):
            compile_java(app, tools, work)
        with _timed("dex"):
            dex(app, tools, work)
        with _timed("package"):
            write_assets(bundle, app.recipes, work / "assets" / "bundle")
            write_apk(work / "unsigned.apk", gather_parts(work, tools, abis))
        os.replace(work / "unsigned.apk", file)


def link_resources(app: AppVersions, tools: Toolchain, work: Path) -> None:
    """Compiles resources and manifest to `resources.apk`, and writes `R.java` into `generated`."""
    # aapt2 needs the package name in the manifest; Gradle refuses it there.
    manifest = (SOURCES / "AndroidManifest.xml").read_text()
    named = manifest.replace("<manifest ", f'<manifest package="{app.id}" ', 1)
    (work / "AndroidManifest.xml").write_text(named)
    call([tools.aapt2, "compile", "--dir", SOURCES / "res", "-o", work / "resources.zip"])
    (work / "generated").mkdir()
    call(
        [
            *(tools.aapt2, "link", "-o", work / "resources.apk", "-I", tools.framework),
            *("--manifest", work / "AndroidManifest.xml", "--java", work / "generated"),
            *("--min-sdk-version", str(app.min_sdk), "--target-sdk-version", str(app.target_sdk)),
            *("--version-code", str(app.version_code), "--version-name", app.version_name),
            work / "resources.zip",
        ]
    )


def compile_java(app: AppVersions, tools: Toolchain, work: Path) -> None:
    """Compiles the app's sources into `classes`."""
    sources = sorted(SOURCES.glob("java/**/*.java")) + sorted(work.glob("generated/**/*.java"))
    path = os.pathsep.join(str(jar) for jar in (*tools.libraries, tools.android))
    call(
        [
            *("javac", *(f"-J{option}" for option in QUICK_JVM)),
            *("-Xlint:all,-options,-classfile,-deprecation,-processing", "-Werror"),
            *("-proc:none", "-implicit:none", "--release", str(app.java), "-g:source,lines"),
            *("-cp", path, "-d", work / "classes", *sources),
        ]
    )


def dex(app: AppVersions, tools: Toolchain, work: Path) -> None:
    """Compiles the classes of the app and of TFLite to Android's bytecode."""
    (work / "dex").mkdir()
    call(
        [
            *("java", *QUICK_JVM, "-cp", tools.r8, "com.android.tools.r8.D8", "--release"),
            *("--min-api", str(app.min_sdk), "--lib", tools.android, "--output", work / "dex"),
            *sorted((work / "classes").glob("**/*.class")),
            *tools.libraries,
        ]
    )


def gather_parts(work: Path, tools: Toolchain, abis: Sequence[str]) -> dict[str, bytes]:
    """Reads the built parts; returns their contents by name in the APK."""
    with zipfile.ZipFile(work / "resources.apk") as resources:
        parts = {name: resources.read(name) for name in resources.namelist()}
    for file in (work / "dex").glob("*.dex"):
        parts[file.name] = file.read_bytes()
    for file in (work / "assets").glob("*/*"):
        parts[file.relative_to(work).as_posix()] = file.read_bytes()
    for abi in abis:
        for library in (tools.natives / abi).glob("*.so"):
            parts[f"lib/{abi}/{library.name}"] = library.read_bytes()
    return parts


@contextmanager
def _timed(stage: str) -> Iterator[None]:
    started = time.perf_counter()
    yield
    print(f"{stage:15} {time.perf_counter() - started:5.1f} s", flush=True)


def report(signed: Path, unsigned: Path) -> None:
    """Prints sizes and checksums. The unsigned APK's checksum is the same on every machine."""
    for part, size in size_by_part(signed).items():
        print(f"  {part:20} {size / 1e6:6.2f} MB")
    total = signed.stat().st_size
    print(f"{unsigned}: SHA-256 {sha256(unsigned.read_bytes())}")
    print(f"{signed}: SHA-256 {sha256(signed.read_bytes())}, {total / 1e6:.2f} MB")
    if total > LARGEST:
        raise UserError(f"{signed}: more than {LARGEST / 1e6:.0f} MB; leave out an --abi")


if __name__ == "__main__":
    run_command(main)
