"""Pseudo-labels for photographs without a target, rendered by a trained network (self-training).

On a photograph that it was not trained on, the network's renderings of the mirrored and rescaled
photograph differ wherever it is unsure. Their mean is a steadier target than any one of them, and
each photograph adds another subject to the training data.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from keras import ops

from pocket_bokeh.detail_transfer import transfer_detail
from pocket_bokeh.photo import read_photo, resize_photo, to_float, to_uint8
from train.data.focus_points import pair_input
from train.data.pair_transforms import cut_to_multiple, scale_pair
from train.data.pairs import SIZE_MULTIPLE, Pair
from train.data.photo_folder import photos_by_name

Model = Any

SCALES = (0.8, 1.0, 1.25)
"""The photograph is rendered at these scales."""


@dataclass(frozen=True)
class PseudoPairs:
    """Pairs whose bokeh photograph a network renders on access.

    Attributes:
        photos: names and files.
        model: a level-1 network without depth; one with a focus map finds the subjects by itself.
        short_side: the shorter side of the pairs, in pixels.
    """

    photos: tuple[tuple[str, Path], ...]
    model: Model
    short_side: int

    def __len__(self) -> int:
        return len(self.photos)

    def __getitem__(self, index: int, /) -> Pair:
        stem, file = self.photos[index]
        photo = read_photo(file, self.short_side)
        photo = cut_to_multiple(scale_pair(Pair(stem, photo, photo), self.short_side)).original
        return Pair(stem, photo, mean_rendering(self.model, photo))


def find_pseudo_pairs(folder: Path, model: Model, short_side: int) -> PseudoPairs:
    """Makes pairs of the photographs in a folder.

    Raises:
        UserError: two photographs have the same name.
    """
    return PseudoPairs(tuple(photos_by_name(folder).items()), model, short_side)


def mean_rendering(model: Model, photo: np.ndarray) -> np.ndarray:
    """The mean of a photograph's renderings at several scales, each plain and mirrored.

    Args:
        model: a level-1 network without depth; one with a focus map finds the subject by itself.
        photo: height × width × 3, uint8.

    Returns:
        The rendering after detail transfer, same shape, uint8.
    """
    renderings = []
    for scale in SCALES:
        small = resize_photo(photo, *(_multiple(scale * side) for side in photo.shape[:2]))
        seen = pair_input(Pair("", small, small), sees_focus=model.input_shape[-1] == 4)
        # Not `predict`, which would trace a graph for every shape of photograph.
        outputs = model(np.stack([seen, seen[:, ::-1]]), training=False)
        straight, mirrored = np.clip(ops.convert_to_numpy(outputs), 0.0, 1.0)
        for output in (straight, mirrored[:, ::-1]):
            renderings.append(to_float(transfer_detail(photo, small, output)))
    return to_uint8(np.mean(renderings, axis=0))


def _multiple(side: float) -> int:
    return max(SIZE_MULTIPLE, SIZE_MULTIPLE * round(side / SIZE_MULTIPLE))
