"""Installs a finished bundle at its destination, maybe in place of an older one, atomically."""

import json
import os
import shutil
from pathlib import Path
from typing import Any

from pocket_bokeh.errors import UserError


def check_destination(bundle: Path, made: Path, replace: bool) -> None:
    """Checks, before hours of work, that the bundle can be installed.

    Args:
        bundle: the destination.
        made: the folder where the bundle is built. If the destination already has the same models,
            there is nothing to refuse.
        replace: whether another bundle at the destination may be replaced.

    Raises:
        UserError: the destination is taken.
    """
    restore_bundle(bundle)
    if not bundle.exists() or same_models(bundle, made):
        return
    if not (bundle / "bundle.json").is_file():
        raise UserError(f"{bundle}: exists but is not a bundle; choose another --bundle")
    if not replace:
        raise UserError(
            f"{bundle}: already a bundle; add --replace to replace it at the end, or choose "
            "another --bundle"
        )


def install_bundle(made: Path, bundle: Path, replace: bool, kept: Path) -> None:
    """Copies a bundle next to its destination and swaps it in.

    If this is interrupted, the older bundle survives: at the destination, or next to it, where
    `restore_bundle` finds it.

    Args:
        made: the finished bundle.
        bundle: the destination.
        replace: whether another bundle at the destination may be replaced.
        kept: the folder that the replaced bundle moves to.

    Raises:
        UserError: as `check_destination`.
        OSError: the disk is full; the older bundle stays at the destination.
    """
    check_destination(bundle, made, replace)
    before = _beside(bundle, "before")
    _store(before, kept)
    if not same_files(bundle, made):
        _swap(made, bundle, before)
    _store(before, kept)


def _swap(made: Path, bundle: Path, before: Path) -> None:
    beside = _beside(bundle, "new")
    bundle.parent.mkdir(parents=True, exist_ok=True)
    shutil.rmtree(beside, ignore_errors=True)
    try:
        shutil.copytree(made, beside)
        if bundle.exists():
            os.rename(bundle, before)
        os.rename(beside, bundle)
    except BaseException:
        restore_bundle(bundle)
        shutil.rmtree(beside, ignore_errors=True)
        raise


def _store(before: Path, kept: Path) -> None:
    """Moves a replaced bundle into a folder, under the next free number."""
    if before.is_dir():
        kept.mkdir(parents=True, exist_ok=True)
        shutil.move(before, kept / str(1 + len(list(kept.iterdir()))))


def restore_bundle(bundle: Path) -> None:
    """Moves the older bundle back to the destination if a swap was interrupted halfway."""
    before = _beside(bundle, "before")
    if before.is_dir() and not bundle.exists():
        os.rename(before, bundle)


def other_files(bundle: Path) -> list[Path]:
    """Files in a bundle's folder that `bundle.json` does not list, such as ones added by hand."""
    if not (bundle / "bundle.json").is_file():
        return []
    named = {"bundle.json", *_named_files(json.loads((bundle / "bundle.json").read_bytes()))}
    return sorted(file for file in bundle.iterdir() if file.is_file() and file.name not in named)


def same_models(one: Path, other: Path) -> bool:
    """Whether two bundles have the same models."""
    described = [folder / "bundle.json" for folder in (one, other)]
    if not all(file.is_file() for file in described):
        return False
    first, second = (
        {model["file"]: model["sha256"] for model in json.loads(file.read_bytes())["models"]}
        for file in described
    )
    return first == second


def same_files(one: Path, other: Path) -> bool:
    """Whether two folders hold the same files with the same content."""
    if not (one.is_dir() and other.is_dir()):
        return False
    first, second = ({file.name: file for file in folder.iterdir()} for folder in (one, other))
    return first.keys() == second.keys() and all(
        first[name].read_bytes() == second[name].read_bytes() for name in first
    )


def _beside(bundle: Path, what: str) -> Path:
    return bundle.with_name(f".{bundle.name}.{what}")


def _named_files(described: dict[str, Any]) -> set[str]:
    pairs = [
        pair[field.removesuffix("_sha256")]
        for pair in described["golden"]
        for field in pair
        if field.endswith("_sha256")
    ]
    models = [model["file"] for model in described["models"]]
    return {*models, *filter(None, pairs), *described["records"]}
