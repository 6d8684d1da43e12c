"""Runs the app's own Java classes on this machine: on raw numbers, or in Robolectric."""

import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from android_demo.apk_file import write_apk
from android_demo.assets import write_assets
from android_demo.build import compile_java, gather_parts, link_resources
from android_demo.host_libraries import java_environment, link_gpu_libraries, make_host_libraries
from android_demo.maven import cache_folder, fetch
from android_demo.programs import call, require
from android_demo.toolchain import prepare_toolchain, unpack_classes
from android_demo.versions import APP_FOLDER, AppVersions, read_app, read_packages
from pocket_bokeh.bundle import Bundle
from pocket_bokeh.errors import UserError
from pocket_bokeh.focus_map import Point

_TESTS = APP_FOLDER / "app" / "src" / "test" / "java"
_OPENED = ("java.base/java.io", "java.base/java.lang", "java.base/java.nio", "java.base/java.util")
"""Packages that Robolectric accesses by reflection."""

_HEAP = "512m"
"""As much as a phone gives a large app."""


@dataclass(frozen=True)
class HostApp:
    """The compiled app and its tests.

    Attributes:
        folder: where all built files are.
        class_path: for `java -cp`.
        natives: folder of TFLite's libraries for x86-64.
        gpu_missing: Debian packages that the GPU delegate needs and this machine lacks; may be "".
    """

    folder: Path
    class_path: str
    natives: Path
    gpu_missing: str

    @property
    def host_libraries(self) -> Path:
        """Folder of the libraries that replace Android's C library."""
        return self.folder / "host"

    def java(self, arguments: Sequence[object]) -> str:
        """Runs a class with a `main` and returns its output.

        Raises:
            UserError: it failed; contains its output.
        """
        return call(self._command(False, {}, arguments), java_environment(self.host_libraries))

    def run_model(self, model: Path, accelerator: str, photo: np.ndarray) -> np.ndarray:
        """Runs a model with the app's own inference class.

        Args:
            model: a .tflite file.
            accelerator: CPU, GPU or NNAPI.
            photo: h × w × 3, or × 4 with a focus map, uint8.

        Returns:
            2h × 2w × 3, or 4 with predicted sharpness, float, 0…1.

        Raises:
            UserError: the accelerator is missing or cannot run the model.
        """
        with tempfile.TemporaryDirectory() as folder:
            given, taken = Path(folder) / "given", Path(folder) / "taken"
            given.write_bytes(np.ascontiguousarray(photo).tobytes())
            self.java(["app.pocketbokeh.OnHost", "model", model, accelerator, given, taken])
            values = np.frombuffer(taken.read_bytes(), np.float32)
        return values.reshape(2 * photo.shape[0], 2 * photo.shape[1], -1)

    def transfer(
        self, photo: np.ndarray, rendered: np.ndarray, strength: float = 1.0
    ) -> np.ndarray:
        """Applies the renderings of a photo's views to it, with the app's classes.

        Args:
            photo: height × width × 3, uint8.
            rendered: views × working height × working width × 3 or 4, float, 0…1.
            strength: 0…1.

        Returns:
            height × width × 3, uint8.
        """
        with tempfile.TemporaryDirectory() as folder:
            given, small, taken = (Path(folder) / name for name in ("given", "small", "taken"))
            given.write_bytes(np.ascontiguousarray(photo).tobytes())
            small.write_bytes(np.ascontiguousarray(rendered, np.float32).tobytes())
            sizes = [*photo.shape[:2], *rendered.shape[1:3]]
            self.java(
                [
                    *("app.pocketbokeh.OnHost", "transfer", given, *(str(side) for side in sizes)),
                    *(small, str(strength), taken),
                ]
            )
            return np.frombuffer(taken.read_bytes(), np.uint8).reshape(photo.shape)

    def orientations(self, photos: Sequence[Path]) -> list[int]:
        """The orientations of photos, 1…8, as the app reads them."""
        return list(self._on_host("orientations", *photos))

    def exif(self, photo: Path) -> bytes:
        """The EXIF that the app keeps of a photo, as TIFF."""
        return self._on_host("exif", photo)

    def constants(self, name: str) -> dict[str, float]:
        """The numbers that a class of the app holds as constants, by their names.

        Args:
            name: of the class, below the app's package.
        """
        lines = self._on_host("constants", name).decode().splitlines()
        return {name: float(value) for name, value in (line.split() for line in lines)}

    def _on_host(self, *arguments: object) -> bytes:
        """What a command of the class `OnHost` writes."""
        with tempfile.TemporaryDirectory() as folder:
            result = Path(folder) / "result"
            self.java(["app.pocketbokeh.OnHost", *arguments, result])
            return result.read_bytes()

    def network_input(self, photo: np.ndarray, size: tuple[int, int]) -> np.ndarray:
        """What the app shows to a network of a working size, of a photo: uint8."""
        with tempfile.TemporaryDirectory() as folder:
            given, taken = Path(folder) / "given", Path(folder) / "taken"
            given.write_bytes(np.ascontiguousarray(photo).tobytes())
            sizes = [str(side) for side in (*photo.shape[:2], *size)]
            self.java(["app.pocketbokeh.OnHost", "frame", given, *sizes, taken])
            seen = np.frombuffer(taken.read_bytes(), np.uint8)
        return seen.reshape(size[0] // 2, size[1] // 2, 3)

    def network_inputs(
        self, photo: np.ndarray, size: tuple[int, int], focus: Point
    ) -> list[np.ndarray]:
        """What the app shows to a network with a focus map, of each view of a photo: uint8."""
        with tempfile.TemporaryDirectory() as folder:
            given = Path(folder) / "given"
            given.write_bytes(np.ascontiguousarray(photo).tobytes())
            sizes = [str(side) for side in (*photo.shape[:2], *size)]
            seen = self._on_host("focus", given, *sizes, *(str(share) for share in focus))
        shape = (-1, size[0] // 2, size[1] // 2, 4)
        return list(np.frombuffer(seen, np.uint8).reshape(shape))

    def test(
        self, *names: str, properties: Mapping[str, object] | None = None, timed: bool = False
    ) -> str:
        """Runs classes of JUnit tests in one JVM, in which a native library loads but once.

        Args:
            names: of the classes, below the app's package.
            properties: what the tests read.
            timed: whether the JVM takes its time to compile well, as timing needs.

        Returns:
            What it printed.

        Raises:
            UserError: a test failed; says which and why.
        """
        classes = [f"app.pocketbokeh.{name}" for name in names]
        command = self._command(timed, properties or {}, ["org.junit.runner.JUnitCore", *classes])
        ended = subprocess.run(
            command, capture_output=True, text=True, env=java_environment(self.host_libraries)
        )
        if ended.returncode:
            raise UserError(f"{' '.join(names)}: {(ended.stdout + ended.stderr)[-12000:]}")
        return ended.stdout

    def _command(
        self, timed: bool, properties: Mapping[str, object], arguments: Sequence[object]
    ) -> list[str]:
        # For short runs the simplest garbage collector and compiler are fastest.
        quick = [] if timed else ["-XX:TieredStopAtLevel=1"]
        virtual = [f"-Xmx{_HEAP}", "-XX:+UseSerialGC", *quick]
        opened = [f"--add-opens={package}=ALL-UNNAMED" for package in _OPENED]
        set_ = {
            "java.library.path": self.natives,
            "robolectric.offline": "true",
            "robolectric.dependency.dir": cache_folder() / "packages",
            **properties,
        }
        values = [f"-D{name}={value}" for name, value in set_.items()]
        return [
            *("java", *virtual, *opened, *values, "-cp", self.class_path),
            *(str(argument) for argument in arguments),
        ]


def make_host_app(bundle: Bundle, folder: Path, focus_bundle: Bundle | None = None) -> HostApp:
    """Compiles the app and its tests for this machine, with a bundle in its assets.

    Args:
        bundle: for the app.
        folder: for all built files.
        focus_bundle: of networks that take a focus map, for tests of taps; becomes `focus_bundle`
            in the assets.

    Raises:
        UserError: a program is missing; names its Debian package.
    """
    require("java", "javac", "gcc")
    app, tools = read_app(), prepare_toolchain()
    packages = fetch("test")
    link_resources(app, tools, folder)
    compile_java(app, tools, folder)
    write_assets(bundle, app.recipes, folder / "assets" / "bundle")
    if focus_bundle is not None:
        write_assets(focus_bundle, app.recipes, folder / "assets" / "focus_bundle")
    write_apk(folder / "unsigned.apk", gather_parts(folder, tools, ()))
    libraries = _test_libraries(packages)
    _describe_resources(app, folder)
    class_path = [folder / "classes", folder / "tests", *tools.libraries, *libraries, tools.android]
    _compile_tests(app, class_path, folder)
    natives = tools.natives / "x86_64"
    make_host_libraries(sorted(natives.glob("*.so")), folder / "host")
    joined = ":".join(str(part) for part in class_path)
    return HostApp(folder, joined, natives, link_gpu_libraries(folder / "host"))


def _test_libraries(packages: Mapping[str, Path]) -> list[Path]:
    libraries = []
    for package in read_packages("test"):
        file = packages[package.id]
        if package.type == "aar":
            classes = cache_folder() / "packages" / f"{package.name}-{package.version}-classes.jar"
            if not classes.is_file():
                unpack_classes(file, classes)
            file = classes
        if package.name != "android-all-instrumented":
            libraries.append(file)
    return libraries


def _describe_resources(app: AppVersions, folder: Path) -> None:
    """Tells Robolectric where the app's resources, manifest and assets are."""
    described = folder / "tests" / "com" / "android" / "tools" / "test_config.properties"
    described.parent.mkdir(parents=True)
    described.write_text(
        f"android_resource_apk={folder / 'unsigned.apk'}\n"
        f"android_merged_manifest={folder / 'AndroidManifest.xml'}\n"
        f"android_merged_assets={folder / 'assets'}\n"
        f"android_custom_package={app.id}\n"
    )


def _compile_tests(app: AppVersions, class_path: Sequence[Path], folder: Path) -> None:
    joined = ":".join(str(part) for part in class_path)
    sources = sorted(_TESTS.glob("**/*.java"))
    options = ["-nowarn", "-Xlint:none", "-proc:none", "--release", str(app.java)]
    call(["javac", *options, "-cp", joined, "-d", folder / "tests", *sources])
