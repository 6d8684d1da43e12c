"""Writes a shared library without any symbols.

LiteRT's plug-in for Qualcomm is linked to `libQnnLpai.so`, but uses nothing of it. The published
libraries lack it, and an empty one satisfies the loader.
"""

import struct

_HEADER = "<16sHHIQQQIHHHHHH"
_SEGMENT = "<IIQQQQQQ"
_DYNAMIC = "<QQ"
_SYMBOL_BYTES = 24
_LOAD, _DYNAMIC_SEGMENT = 1, 2
_READ, _WRITE = 4, 2
_STRTAB, _SYMTAB, _STRSZ, _SYMENT, _SONAME = 5, 6, 10, 11, 14


def empty_library(name: str) -> bytes:
    """The smallest ELF file that the dynamic loader of 64-bit x86 Linux accepts.

    Layout: header, two program headers, strings, one null symbol, dynamic section (System V ABI,
    "Object Files" and "Dynamic Linking").
    """
    strings = b"\0" + name.encode() + b"\0"
    strings += bytes(-len(strings) % 8)
    headers = struct.calcsize(_HEADER) + 2 * struct.calcsize(_SEGMENT)
    symbols = headers + len(strings)
    dynamic = symbols + _SYMBOL_BYTES
    entries = (
        (_SONAME, 1),
        (_STRTAB, headers),
        (_SYMTAB, symbols),
        (_STRSZ, len(strings)),
        (_SYMENT, _SYMBOL_BYTES),
        (0, 0),
    )
    table = b"".join(struct.pack(_DYNAMIC, *entry) for entry in entries)
    whole = dynamic + len(table)
    return b"".join(
        (
            _header(),
            _segment(_LOAD, 0, whole, 4096),
            _segment(_DYNAMIC_SEGMENT, dynamic, len(table), 8),
            strings,
            bytes(_SYMBOL_BYTES),
            table,
        )
    )


def _header() -> bytes:
    magic = b"\x7fELF" + bytes((2, 1, 1))  # 64 bits, little endian, version 1
    shared, x86_64 = 3, 62
    header, segment = struct.calcsize(_HEADER), struct.calcsize(_SEGMENT)
    return struct.pack(
        _HEADER, magic, shared, x86_64, 1, 0, header, 0, 0, header, segment, 2, 0, 0, 0
    )


def _segment(kind: int, offset: int, size: int, alignment: int) -> bytes:
    flags = _READ | _WRITE  # the loader writes into the dynamic section
    return struct.pack(_SEGMENT, kind, flags, offset, offset, offset, size, size, alignment)
