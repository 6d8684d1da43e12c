"""Compares our model with a mask and a lens blur, on the same photos in one run.

    python -m quantize.peers PHOTOS… --segmenter isnet.onnx --selfie selfie_segmentation.tflite

The selfie segmenter is in the npm package @mediapipe/selfie_segmentation. Photos with a mask beside
them (original/NAME.jpg and subject/NAME.png) also say how many are right, and how much of subject
and background is kept (`train.judge.separation`).
"""

import tempfile
from collections.abc import Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path

import tyro
from tqdm import tqdm

from pocket_bokeh import SHIPPED_RECIPE, read_photo
from pocket_bokeh.bundle import SHIPPED_BUNDLE, read_bundle
from pocket_bokeh.errors import UserError, run_command
from pocket_bokeh.photo import read_mask, to_float
from quantize.proof.peer import (
    Peer,
    Rendered,
    our_model,
    render_in_own_process,
    salient_object_mask,
    selfie_mask,
)
from train.judge.separation import MeanSeparation, mean_separation, measure_separation


@dataclass(frozen=True)
class PeersOptions:
    """Options of the command line."""

    photos: tyro.conf.Positional[tuple[Path, ...]]
    """Photos of any size."""
    segmenter: Path | None = None
    """A salient-object network such as IS-Net, an ONNX file."""
    selfie: Path | None = None
    """A selfie segmenter, a .tflite file."""
    bundle: Path | None = None
    """Folder created by quantize.export. Default: the models that ship with Pocket Bokeh."""
    recipe: str = SHIPPED_RECIPE
    """Which of the bundle's models to use."""
    out: Path | None = None
    """A folder for the pictures, one folder in it for each peer. Default: they are not kept."""


def main() -> None:
    options = tyro.cli(PeersOptions, description=__doc__)
    peers = choose_peers(options)
    masked = sum(mask_beside(photo) is not None for photo in options.photos)
    rows = []
    with tempfile.TemporaryDirectory() if options.out is None else nullcontext(options.out) as out:
        for number, peer in enumerate(tqdm(peers, desc="peers")):
            folder = Path(out) / str(number)
            folder.mkdir(parents=True, exist_ok=True)
            rendered = render_in_own_process(peer, options.photos, folder)
            rows.append(row(peer, rendered, separation(options.photos, rendered)))
    print(f"{len(options.photos)} photos, {masked} of them with masks\n")
    print("\n".join([HEADER, RULE, *rows]))


def choose_peers(options: PeersOptions) -> list[Peer]:
    """Our model and the others that the options name.

    Raises:
        UserError: no photo is given, or a file is missing.
    """
    if not options.photos:
        raise UserError("no photo given; name at least one")
    for photo in options.photos:
        if not photo.is_file():
            raise UserError(f"{photo}: no such file")
    peers = [our_model(read_bundle(options.bundle or SHIPPED_BUNDLE), options.recipe)]
    if options.segmenter:
        peers.append(salient_object_mask(options.segmenter))
    if options.selfie:
        peers.append(selfie_mask(options.selfie))
    return peers


def mask_beside(photo: Path) -> Path | None:
    """The mask of a photo in the layout of `train.masks`; None if there is none."""
    photo = photo.absolute()
    mask = photo.parent.parent / "subject" / f"{photo.stem}.png"
    return mask if photo.parent.name == "original" and mask.is_file() else None


def separation(photos: Sequence[Path], rendered: Rendered) -> MeanSeparation | None:
    """How well the renderings tell subject from background; None if no photo has a mask."""
    figures = []
    for file, picture in zip(photos, rendered.files, strict=True):
        if mask_file := mask_beside(file):
            photo = read_photo(file)
            mask = read_mask(mask_file, photo.shape[:2])
            if (mask > 127).any():
                parts = to_float(read_photo(picture)), to_float(photo)
                figures.append(measure_separation(*parts, mask))
    return mean_separation(figures) if figures else None


HEADER = (
    "| | s a photo | memory, MB | model, MB "
    "| right | subject kept | subject softened | background kept |"
)
RULE = "|---|---:|---:|---:|---:|---:|---:|---:|"


def row(peer: Peer, rendered: Rendered, kept: MeanSeparation | None) -> str:
    """A peer's row under `HEADER`."""
    shares: Sequence[float | None] = (None,) * 4
    if kept:
        shares = (kept.right, kept.subject_kept, kept.softened, kept.background_kept)
    cells = [
        peer.title,
        f"{rendered.seconds:.2f}",
        f"{rendered.memory_bytes / 1e6:.0f}",
        f"{peer.model_bytes / 1e6:.1f}",
        *("–" if share is None else f"{share:.0%}" for share in shares),
    ]
    return f"| {' | '.join(cells)} |"


if __name__ == "__main__":
    run_command(main)
