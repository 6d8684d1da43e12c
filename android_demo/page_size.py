"""Rewrites native libraries for memory pages of 16 KB, which newer phones have.

TFLite's libraries were linked for pages of 4 KB. If code and data share no 16 KB page, it is enough
to move the data within the file: no address in memory changes, so no instruction does. The two
writable segments become one, and the part that is read-only after loading (RELRO) is cut to whole
pages.
"""

import struct
from dataclasses import astuple, dataclass

PAGE = 16 * 1024

_HEADER = struct.Struct("<IIQQQQQQ")
_SECTION = struct.Struct("<IIQQQQIIQQ")
_LOAD, _RELRO = 1, 0x6474E552
_READ_WRITE = 6
_ALLOCATED = 2


@dataclass
class Segment:
    """A program header of a 64-bit ELF file, fields in the file's order."""

    type: int
    flags: int
    offset: int
    address: int
    physical: int
    file_size: int
    memory_size: int
    alignment: int


def segments(content: bytes) -> list[Segment]:
    """The program headers of a library."""
    start, count = (
        struct.unpack_from("<Q", content, 32)[0],
        struct.unpack_from("<H", content, 56)[0],
    )
    return [
        Segment(*_HEADER.unpack_from(content, start + index * _HEADER.size))
        for index in range(count)
    ]


def is_for_16_kb(content: bytes) -> bool:
    """Whether a library can be loaded with 16 KB pages."""
    return all(
        segment.alignment >= PAGE and (segment.offset - segment.address) % PAGE == 0
        for segment in segments(content)
        if segment.type == _LOAD
    )


def why_not_16_kb(content: bytes) -> str:
    """Why a library cannot be rewritten for 16 KB pages; empty if it can."""
    loaded = [segment for segment in segments(content) if segment.type == _LOAD]
    if len(loaded) != 3 or [segment.flags for segment in loaded[1:]] != [_READ_WRITE] * 2:
        return f"{len(loaded)} segments, expected code and two of data"
    code, data, _ = loaded
    if code.address != 0 or code.offset != 0:
        return "its code does not begin the file"
    last = (code.memory_size - 1) // PAGE
    if last == data.address // PAGE:
        return f"code and data share the page at {last * PAGE:#x}"
    return ""


def lay_out_for_16_kb(content: bytes) -> bytes:
    """Rewrites a library for 16 KB pages; it still works with 4 KB pages.

    Raises:
        ValueError: it cannot be rewritten; see `why_not_16_kb`.
    """
    why = why_not_16_kb(content)
    if why:
        raise ValueError(why)
    headers = segments(content)
    code, data, rest = (segment for segment in headers if segment.type == _LOAD)
    address = data.address
    moved = _round_up(code.file_size) + address % PAGE
    gap = rest.address - address
    body = content[data.offset : data.offset + data.file_size].ljust(gap, b"\0")
    body += content[rest.offset : rest.offset + rest.file_size]
    result = bytearray(content[: code.file_size].ljust(moved, b"\0") + body)
    for segment in headers:
        _move(segment, code, data, rest, moved, len(body))
    _append_sections(result, content, address, moved)
    start = struct.unpack_from("<Q", content, 32)[0]
    for index, segment in enumerate(headers):
        _HEADER.pack_into(result, start + index * _HEADER.size, *astuple(segment))
    return bytes(result)


def _move(
    segment: Segment, code: Segment, data: Segment, rest: Segment, moved: int, body: int
) -> None:
    first = data.address
    if segment is code:
        segment.alignment = PAGE
    elif segment is data:
        segment.memory_size = rest.address + rest.memory_size - first
        segment.offset, segment.file_size, segment.alignment = moved, body, PAGE
    elif segment is rest:
        segment.type = 0
    elif segment.type == _RELRO:
        end = (segment.address + segment.memory_size) // PAGE * PAGE
        segment.offset = moved + segment.address - first
        segment.file_size = segment.memory_size = max(0, end - segment.address)
        segment.type = _RELRO if segment.memory_size else 0
    elif segment.address >= first:
        segment.offset = moved + segment.address - first


def _append_sections(result: bytearray, content: bytes, address: int, moved: int) -> None:
    """Appends the sections that are not loaded, and the section headers, which Android checks."""
    start = struct.unpack_from("<Q", content, 40)[0]
    count = struct.unpack_from("<H", content, 60)[0]
    sections = []
    for index in range(count):
        section = list(_SECTION.unpack_from(content, start + index * _SECTION.size))
        flags, at, offset, size = section[2:6]
        if flags & _ALLOCATED:
            if at >= address:
                section[4] = moved + at - address
        elif section[1]:
            _pad(result)
            section[4] = len(result)
            result += content[offset : offset + size]
        sections.append(section)
    _pad(result)
    struct.pack_into("<Q", result, 40, len(result))
    for section in sections:
        result += _SECTION.pack(*section)


def _round_up(size: int) -> int:
    return (size + PAGE - 1) // PAGE * PAGE


def _pad(result: bytearray) -> None:
    result += b"\0" * (-len(result) % 8)
