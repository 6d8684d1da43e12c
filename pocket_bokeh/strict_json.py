"""Reads JSON into dataclasses. Values are not converted, and errors name the field."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict
from typing import Any, TypeVar

import msgspec

Kind = TypeVar("Kind")


def read_json(
    content: bytes | str,
    kind: type[Kind],
    *,
    version: tuple[str, int] | None = None,
    ignore_unknown: bool = False,
    obsolete: Mapping[str, Any] | None = None,
    upgrade: Callable[[dict[str, Any]], dict[str, Any]] | None = None,
    **more: Any,
) -> Kind:
    """Makes a dataclass, with the dataclasses inside it, from a JSON object.

    Args:
        content: the JSON. Fields that have a default may be missing, and paths are strings.
        kind: the dataclass.
        version: the name and the expected value of the field with the version of the format.
        ignore_unknown: accept fields that the dataclasses do not have.
        obsolete: fields of older versions, by name, with the value that they may still have.
        upgrade: turns an object that an older version wrote into one of this version. It must leave
            alone what it does not know.
        more: fields that are not in the JSON.

    Raises:
        ValueError: one line, such as "models[3].bytes: expected `int`, got `str`".
    """
    try:
        stored = msgspec.json.decode(content, type=dict[str, Any])
        found = stored.get(version[0], "missing") if version else None
        if version and found != version[1]:
            name = version[0].replace("_", " ")
            raise ValueError(f"{name} {found}, but this program reads {version[1]}")
        stored = upgrade(stored) if upgrade else stored
        made = msgspec.convert(stored | more, kind, dec_hook=lambda other, value: other(value))
    except RecursionError as error:
        raise ValueError("nested too deeply") from error
    except msgspec.ValidationError as error:
        reason, _, place = str(error).partition(" - at `$")
        place = place.strip(".`") + ": " if place else ""
        raise ValueError(f"{place}{reason[0].lower()}{reason[1:]}") from error
    if not ignore_unknown:
        for name, value in _unknown(stored, asdict(made)):  # type: ignore[call-overload]
            if (name.rpartition(".")[2], value) not in (obsolete or {}).items():
                raise ValueError(f"{name} = {value!r:.40} is unknown to this version")
    return made


def _unknown(stored: Any, known: Any, place: str = "") -> Iterator[tuple[str, Any]]:
    """Places and values of the stored fields that the dataclasses do not have."""
    if isinstance(stored, dict):
        for name, value in stored.items():
            if name in known:
                yield from _unknown(value, known[name], f"{place}{name}.")
            else:
                yield place + name, value
    elif isinstance(stored, list):
        for index, pair in enumerate(zip(stored, known, strict=True)):
            yield from _unknown(*pair, f"{place.removesuffix('.')}[{index}].")
