"""JSON becomes dataclasses as it is, or is refused with the place of what is wrong."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import pytest

from pocket_bokeh.strict_json import read_json


@dataclass(frozen=True)
class Part:
    size: tuple[int, int]
    kind: Literal["plain", "fine"] = "plain"
    scale: float | None = None
    figures: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class Whole:
    folder: Path
    parts: tuple[Part, ...]
    name: str = "none"


FINE = {"size": [2, 3], "kind": "fine", "scale": 1, "figures": {"psnr": 30.5}}


def read(part: Mapping[str, Any], **options: Any) -> Whole:
    content = json.dumps({"format_version": 3, "folder": "a/b", "parts": [FINE, part]})
    options = {"ignore_unknown": True} | options
    return read_json(content, Whole, **options)


def test_nested_fields_become_what_the_dataclasses_say() -> None:
    whole = Whole(Path("a/b"), (Part((2, 3), "fine", 1.0, {"psnr": 30.5}), Part((4, 5))))
    assert read({"size": [4, 5]}) == whole
    assert read({"size": [4, 5]}, folder=Path("c")).folder == Path("c")


@pytest.mark.parametrize(
    ("part", "message"),
    [
        ({"size": [4, 5, 6]}, r"parts\[1\].size: expected `array` of length 2, got 3"),
        ({"size": [4, "5"]}, r"parts\[1\].size\[1\]: expected `int`, got `str`"),
        ({"size": [4, 5.5]}, r"parts\[1\].size\[1\]: expected `int`, got `float`"),
        ({"size": [4, True]}, r"parts\[1\].size\[1\]: expected `int`, got `bool`"),
        ({"size": [4, 5], "kind": "other"}, r"parts\[1\].kind: invalid enum value 'other'"),
        ({"size": [4, 5], "figures": {"psnr": None}}, r"parts\[1\].figures"),
        ({}, r"parts\[1\]: object missing required field `size`"),
    ],
)
def test_what_does_not_fit_is_refused_with_its_place(part: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=f"^{message}"):
        read(part)


def test_unknown_fields_are_refused_unless_they_are_obsolete_or_ignored() -> None:
    older = {"size": [4, 5], "optimizer": "adam"}
    version = ("format_version", 3)
    ours = {"ignore_unknown": False, "obsolete": {"optimizer": "adam", "format_version": 3}}
    assert read(older) == read(older, version=version, **ours) == read({"size": [4, 5]})
    with pytest.raises(ValueError, match=r"parts\[1\].optimizer = 'muon' is unknown"):
        read(older | {"optimizer": "muon"}, **ours)
    with pytest.raises(ValueError, match="format version 3, but this program reads 4"):
        read(older, version=("format_version", 4))


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b"\xff", b'{"name": NaN}', b"[" * 100_000])
def test_what_is_no_json_object_is_refused_in_one_line(content: bytes) -> None:
    with pytest.raises(ValueError, match=r"^.+$"):
        read_json(content, Whole)
