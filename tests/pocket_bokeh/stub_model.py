"""A model without a file."""

from collections.abc import Callable

import numpy as np

from pocket_bokeh.photo import FourthChannel


class Stub:
    """A model that doubles its input and applies a function to it."""

    def __init__(
        self,
        output_size: tuple[int, int] = (384, 512),
        change: Callable[[np.ndarray], np.ndarray] = lambda picture: picture,
        fourth_channel: FourthChannel = "none",
    ):
        self.fourth_channel: FourthChannel = fourth_channel
        self.input_channels = 3 if fourth_channel == "none" else 4
        self.output_size = output_size
        self.input_size = (output_size[0] // 2, output_size[1] // 2)
        self.change = change
        self.seen: list[np.ndarray] = []

    def run(self, photo: np.ndarray) -> np.ndarray:
        assert photo.shape == (*self.input_size, self.input_channels)
        self.seen.append(photo)
        return self.change(photo[..., :3].repeat(2, 0).repeat(2, 1))
