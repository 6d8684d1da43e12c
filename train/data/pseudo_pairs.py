"""Photographs without a target, rendered by a trained network: pairs to train on (self-training).

What a network has seen in training it is sure of; of photographs that it has not, its renderings
differ mirrored and at other sizes wherever it guesses. Their mean is a target that neither blurs
nor spares at random, and another scene to know subjects by.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from keras import ops

from pocket_bokeh.detail_transfer import transfer_detail
from pocket_bokeh.photo import network_input, read_photo, resize_photo, to_float, to_uint8
from train.data.pairs import SIZE_MULTIPLE, Pair, cut_to_multiple, scale_pair
from train.data.photo_folder import photos_by_name

Model = Any

SCALES = (0.8, 1.0, 1.25)
"""Of the photograph, at which the network sees it."""


@dataclass(frozen=True)
class PseudoPairs:
    """Pairs by index whose bokeh a network makes when asked for.

    Attributes:
        photos: by stem.
        model: a network of level 1 that sees no depth.
        short_side: of the pairs, in pixels.
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
    """The photographs of a folder as pairs.

    Raises:
        UserError: two photographs have one stem.
    """
    return PseudoPairs(tuple(photos_by_name(folder).items()), model, short_side)


def mean_rendering(model: Model, photo: np.ndarray) -> np.ndarray:
    """The mean of a photograph's renderings, as they are and mirrored, at several sizes.

    Args:
        model: a network of level 1 that sees no depth.
        photo: height × width × 3, uint8.

    Returns:
        The same shape, uint8, detail transfer included.
    """
    renderings = []
    for scale in SCALES:
        small = resize_photo(photo, *(_multiple(scale * side) for side in photo.shape[:2]))
        seen = network_input(small)
        # Called rather than predict()ed: photographs of many shapes would each be traced anew.
        outputs = model(np.stack([seen, seen[:, ::-1]]), training=False)
        straight, mirrored = np.clip(ops.convert_to_numpy(outputs), 0.0, 1.0)
        for output in (straight, mirrored[:, ::-1]):
            renderings.append(to_float(transfer_detail(photo, small, output)))
    return to_uint8(np.mean(renderings, axis=0))


def _multiple(side: float) -> int:
    return max(SIZE_MULTIPLE, SIZE_MULTIPLE * round(side / SIZE_MULTIPLE))
