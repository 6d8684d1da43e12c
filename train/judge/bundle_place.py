"""A finished bundle goes to its place, where an older one may lie: whole, or not at all."""

import json
import os
import shutil
from pathlib import Path
from typing import Any

from pocket_bokeh.errors import UserError


def check_place(bundle: Path, made: Path, replace: bool) -> None:
    """Refuses, before hours of work, a place that the bundle could not go to.

    Args:
        bundle: where it is to lie.
        made: where it is made first; the same models already in their place are no obstacle.
        replace: whether another one there may be replaced.

    Raises:
        UserError: something else lies there.
    """
    put_back(bundle)
    if not bundle.exists() or same_models(bundle, made):
        return
    if not (bundle / "bundle.json").is_file():
        raise UserError(f"{bundle}: there already and not a bundle; name another --bundle")
    if not replace:
        raise UserError(
            f"{bundle}: a bundle already; replace it at the end with --replace, or name another "
            "--bundle"
        )


def put_in_place(made: Path, bundle: Path, replace: bool, kept: Path) -> None:
    """Copies a bundle beside its place and swaps it in.

    Stopped at any point, the older bundle is whole: in its place, or beside it, from where
    `put_back` brings it back.

    Args:
        made: the finished bundle.
        bundle: where it is to lie.
        replace: whether another one there may be replaced.
        kept: the folder that the older one goes to.

    Raises:
        UserError: as `check_place`.
        OSError: the copy does not fit; the older bundle stays in its place.
    """
    check_place(bundle, made, replace)
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
        put_back(bundle)
        shutil.rmtree(beside, ignore_errors=True)
        raise


def _store(before: Path, kept: Path) -> None:
    """Moves a bundle that was replaced into a folder, under a number of its own."""
    if before.is_dir():
        kept.mkdir(parents=True, exist_ok=True)
        shutil.move(before, kept / str(1 + len(list(kept.iterdir()))))


def put_back(bundle: Path) -> None:
    """Brings an older bundle back that a swap, stopped halfway, left beside its place."""
    before = _beside(bundle, "before")
    if before.is_dir() and not bundle.exists():
        os.rename(before, bundle)


def other_files(bundle: Path) -> list[Path]:
    """What people put into a bundle's folder: files that `bundle.json` does not name."""
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
    ours, theirs = ({file.name: file for file in folder.iterdir()} for folder in (one, other))
    return ours.keys() == theirs.keys() and all(
        ours[name].read_bytes() == theirs[name].read_bytes() for name in ours
    )


def _beside(bundle: Path, what: str) -> Path:
    return bundle.with_name(f".{bundle.name}.{what}")


def _named_files(described: dict[str, Any]) -> set[str]:
    pairs = [
        pair.get(kind) for pair in described["golden"] for kind in ("input", "output", "depth")
    ]
    models = [model["file"] for model in described["models"]]
    return {*models, *filter(None, pairs), *described["records"]}
