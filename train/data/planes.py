"""Shrinks, enlarges and fills planes: channels × height × width, float32."""

import numpy as np
from PIL import Image


def halve(planes: np.ndarray) -> np.ndarray:
    """Means of 2 × 2 pixels. An odd last row or column is repeated first."""
    _, height, width = planes.shape
    if height % 2 or width % 2:
        planes = np.pad(planes, ((0, 0), (0, height % 2), (0, width % 2)), "edge")
    rows = planes[:, ::2] + planes[:, 1::2]
    return (rows[..., ::2] + rows[..., 1::2]) * np.float32(0.25)


def double(planes: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """Bilinear enlargement of what `halve` made; `size` is the height and width before."""
    height, width = size
    box = (0.0, 0.0, width / 2, height / 2)
    return np.stack(
        [
            np.asarray(
                Image.fromarray(plane).resize((width, height), Image.Resampling.BILINEAR, box)
            )
            for plane in planes
        ]
    )


def fill(planes: np.ndarray, known: np.ndarray) -> np.ndarray:
    """Fills what is not known with the colours around it.

    Push and pull: coarser and coarser weighted means fill the holes of the finer levels (Gortler,
    Grzeszczuk, Szeliski & Cohen, "The Lumigraph", SIGGRAPH 1996, section 3.4).

    Args:
        planes: channels × height × width.
        known: height × width, 0…1.

    Returns:
        Planes of the same shape; unchanged where `known` is 1.
    """
    level = np.concatenate([planes * known, known[None]]).astype(np.float32)
    levels = [level]
    while min(level.shape[1:]) > 2:
        level = halve(level)
        # Half a cell of known pixels is enough to be sure of its mean.
        level *= np.minimum(2 * level[-1], 1) / np.maximum(level[-1], 1e-6)
        levels.append(level)
    mean = levels[-1].sum((1, 2))[:, None, None]
    filled = np.broadcast_to(mean[:-1] / np.maximum(mean[-1], 1e-6), levels[-1][:-1].shape)
    for level in reversed(levels):
        if filled.shape[1:] != level.shape[1:]:
            filled = double(filled, level.shape[1:])
        filled = level[:-1] + (1 - level[-1]) * filled
    return filled


def resize_planes(planes: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """Bicubic resize with antialiasing to a height and width; nothing becomes negative."""
    height, width = size
    resized = [
        np.asarray(Image.fromarray(plane).resize((width, height), Image.Resampling.BICUBIC))
        for plane in np.ascontiguousarray(planes)
    ]
    return np.maximum(np.stack(resized), 0)
