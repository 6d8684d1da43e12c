"""Loads TFLite's Android libraries on Debian, unchanged.

Generated libc.so, libm.so, libdl.so and liblog.so have Android's names and symbol versions and
forward to glibc. On x86-64 the JVM that tests the app's classes uses them, with Mesa's software
OpenGL ES in place of a phone's GPU. On 64-bit Arm a small program uses them under emulation.
"""

import ctypes
import os
import re
import shutil
from collections.abc import Sequence
from pathlib import Path

from android_demo.programs import call, require
from android_demo.versions import APP_FOLDER

_SOURCE = APP_FOLDER / "host" / "bionic.c"
_LOG = "__android_log"
_GPU_LIBRARIES = {"libGLESv3.so": "libGLESv2.so.2", "libEGL.so": "libEGL.so.1"}
"""By Android's name, Mesa's."""


def make_host_libraries(libraries: Sequence[Path], folder: Path, compiler: str = "gcc") -> None:
    """Builds the four libraries.

    Args:
        libraries: the Android libraries that will be loaded.
        folder: to create; for LD_LIBRARY_PATH.
        compiler: for the libraries' processor.

    Raises:
        UserError: the compiler or readelf is missing.
    """
    require("readelf", compiler)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "versions").write_text("LIBC { };\n")
    (folder / "forwards.c").write_text(_forwards(libraries, "aarch64" in compiler))
    (folder / "empty.c").write_text("int pocket_bokeh_empty;\n")
    script = f"-Wl,--version-script={folder / 'versions'}"
    common: list[object] = [compiler, "-shared", "-fPIC", "-O1", "-fno-builtin", "-w", script]
    for name in ("libm.so", "libdl.so", "liblog.so"):
        call([*common, f"-Wl,-soname,{name}", "-o", folder / name, folder / "empty.c"])
    sources = [_SOURCE, folder / "forwards.c", "-lm", "-ldl", "-lpthread"]
    call([*common, "-Wl,-soname,libc.so", "-o", folder / "libc.so", *sources])


def link_gpu_libraries(folder: Path) -> str:
    """Links Mesa's OpenGL ES into the folder.

    Returns:
        The Debian packages that are missing; empty if none.
    """
    for name, mesa in _GPU_LIBRARIES.items():
        found = _host_library(mesa)
        if found is None:
            return "libegl1 libgles2 libegl-mesa0 libgl1-mesa-dri"
        (folder / name).unlink(missing_ok=True)
        (folder / name).symlink_to(found)
    return ""


def _host_library(name: str) -> Path | None:
    ldconfig = shutil.which("ldconfig") or "/sbin/ldconfig"
    for line in call([ldconfig, "-p"]).splitlines():
        if line.split()[:1] == [name]:
            return Path(line.split()[-1])
    return None


def _forwards(libraries: Sequence[Path], arm: bool) -> str:
    """C code with a jump to glibc for every function that bionic.c does not implement itself."""
    ours = set(re.findall(r"^BIONIC\((\w+)\);", _SOURCE.read_text(), re.MULTILINE))
    glibc = [ctypes.CDLL("libc.so.6"), ctypes.CDLL("libm.so.6")]
    jump = "b" if arm else "jmp"
    lines = ["#include <stdio.h>", "#include <stdlib.h>"]
    for name in sorted(_asked_of_bionic(libraries) - ours):
        if any(hasattr(library, name) for library in glibc):
            lines.append(
                f'__asm__(".text\\n.globl bionic_{name}\\n.type bionic_{name},@function\\n'
                f'bionic_{name}: {jump} {name}\\n.symver bionic_{name},{name}@LIBC");'
            )
        else:
            lines.append(
                f'void bionic_{name}(void) {{ fputs("{name} is not on this host\\n", stderr); '
                f'abort(); }} __asm__(".symver bionic_{name},{name}@LIBC");'
            )
    return "\n".join(lines) + "\n"


def _asked_of_bionic(libraries: Sequence[Path]) -> set[str]:
    names = set()
    for library in libraries:
        for line in call(["readelf", "--dyn-syms", "-W", library]).splitlines():
            fields = line.split()
            if len(fields) > 7 and fields[6] == "UND" and "@" in fields[7]:
                name = fields[7].split("@")[0]
                if not name.startswith(_LOG):
                    names.add(name)
    return names


def run_on_arm(
    model: Path, inputs: bytes, natives: Path, folder: Path, page_size: int = 4096
) -> bytes:
    """Runs a model on an emulated 64-bit Arm CPU, with the library that the app contains.

    Args:
        model: a .tflite file.
        inputs: the bytes of its input tensor.
        natives: the library's folder.
        folder: for temporary files.
        page_size: of the emulated memory, in bytes.

    Returns:
        The bytes of its output tensor.

    Raises:
        UserError: the compiler or the emulator is missing, or the model does not run.
    """
    compiler = "aarch64-linux-gnu-gcc"
    require(compiler, "qemu-aarch64")
    library = natives / "libtensorflowlite_jni.so"
    program = folder / "run_model"
    if not program.is_file():
        make_host_libraries([library], folder, compiler)
        link = "-Wl,--unresolved-symbols=ignore-in-shared-libs"
        call([compiler, "-O1", "-o", program, APP_FOLDER / "host" / "run_model.c", library, link])
    (folder / "input").write_bytes(inputs)
    (folder / "output").unlink(missing_ok=True)
    emulator = ["qemu-aarch64", "-L", "/usr/aarch64-linux-gnu", "-cpu", "cortex-a72"]
    pages = ["-p", str(page_size), "-E", f"LD_LIBRARY_PATH={natives}:{folder}"]
    call([*emulator, *pages, program, model, folder / "input", folder / "output"])
    return (folder / "output").read_bytes()


def java_environment(folder: Path) -> dict[str, str]:
    """Environment variables with which a JVM loads TFLite's libraries and Mesa's software GPU."""
    gpu = {"LIBGL_ALWAYS_SOFTWARE": "1", "EGL_PLATFORM": "surfaceless"}
    return {**os.environ, **gpu, "LD_LIBRARY_PATH": str(folder)}
