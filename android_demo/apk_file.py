"""Writes an APK as a zip file; the same parts give the same bytes."""

import zipfile
from collections.abc import Mapping
from pathlib import Path

_STORED = {"resources.arsc"}
"""Not compressed, because Android maps it into memory."""

_ALIGNMENT = 4
_FIRST = ("AndroidManifest.xml", "classes.dex", "resources.arsc")
_NO_DATE = (1980, 1, 1, 0, 0, 0)
_ALIGNING_FIELD = 0xD935


def write_apk(file: Path, parts: Mapping[str, bytes]) -> None:
    """Writes an APK.

    Args:
        file: to write.
        parts: contents by name in the APK.
    """

    def order(name: str) -> tuple[int, str]:
        return _FIRST.index(name) if name in _FIRST else len(_FIRST), name

    with zipfile.ZipFile(file, "w", compresslevel=9) as package:
        for name in sorted(parts, key=order):
            entry = zipfile.ZipInfo(name, _NO_DATE)
            entry.external_attr = 0o644 << 16
            entry.compress_type = zipfile.ZIP_DEFLATED
            if name in _STORED:
                entry.compress_type = zipfile.ZIP_STORED
                entry.extra = _padding(package.start_dir + 30 + len(name.encode()))
            package.writestr(entry, parts[name])


def _padding(start: int) -> bytes:
    """An extra field of such a length that the content starts at a multiple of the alignment."""
    size = -(start + 6) % _ALIGNMENT
    field = _ALIGNING_FIELD.to_bytes(2, "little") + (2 + size).to_bytes(2, "little")
    return field + _ALIGNMENT.to_bytes(2, "little") + bytes(size)


def size_by_part(file: Path) -> dict[str, int]:
    """The compressed bytes of an APK by purpose; the last is the zip file's own overhead."""
    sizes = {"models": 0, "golden pairs": 0, "native libraries": 0, "code": 0, "resources": 0}
    with zipfile.ZipFile(file) as package:
        for entry in package.infolist():
            sizes[_part(entry.filename)] += entry.compress_size
    return sizes | {"signature and index": file.stat().st_size - sum(sizes.values())}


def _part(name: str) -> str:
    if ".tflite" in name:
        return "models"
    if name.startswith("assets/"):
        return "golden pairs"
    if name.startswith("lib/"):
        return "native libraries"
    return "code" if name.endswith(".dex") else "resources"
