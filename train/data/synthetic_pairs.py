"""Built-in training pairs: generated scenes, rendered through a pinhole and through a thin lens.

A scene has two to four flat layers, one of them in focus. They are photographs that ship with
scikit-image (`train.data.scenery`) and drawings (`train.data.drawings`); `train.data.thin_lens`
renders the scene twice. The same seed, index and size always give the same bytes, in any order and
on any thread.
"""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from pocket_bokeh.errors import UserError
from train.data.drawings import flowers, grasses, painted, spray, stones
from train.data.pairs import Pair
from train.data.scenery import OUTLINES, background, cut_out_planes, pick
from train.data.thin_lens import Lens, SceneLayer, encode_srgb, expose, expose_depth

LARGEST_BLUR = 0.034  # circle of confusion radius over the photograph's short side
NEAREST = 1.8  # the largest inverse depth; the subject's is 1


Scene = tuple[np.ndarray, np.ndarray, np.ndarray]


def render_scene(seed: int, index: int, size: tuple[int, int]) -> Scene:
    """Renders one scene sharp, with a shallow depth of field, and as a depth map.

    Args:
        seed, index: not negative; together they identify the scene.
        size: height and width in pixels.

    Returns:
        original, bokeh: height × width × 3, uint8, RGB, sRGB-encoded.
        depth: height × width, uint8, inverse depth; 0 is infinitely far, 255 is `NEAREST`.
    """
    random = np.random.default_rng([seed, index])
    limit = LARGEST_BLUR * min(size)
    margin = int(np.ceil(limit * 1.2))
    canvas = (size[0] + 2 * margin, size[1] + 2 * margin)

    background_in_focus = random.random() < 0.18
    taken = ""
    if not background_in_focus and random.random() < 0.55:
        taken = pick(random, tuple(OUTLINES))
        subject = cut_out_planes(random, taken, *canvas)
    else:
        drawings = (spray, grasses) if background_in_focus else (flowers, stones, spray, grasses)
        subject = painted(random, pick(random, drawings)(random, *canvas), *canvas)
    subject[:3] *= np.float32(random.uniform(0.75, 1.2))

    layers = [SceneLayer(background(random, taken, *canvas), random.uniform(0.02, 0.25))]
    if random.random() < 0.4:
        between = pick(random, (grasses, spray, stones))(random, *canvas)
        layers.append(SceneLayer(painted(random, between, *canvas), random.uniform(0.4, 0.7)))
    layers.append(SceneLayer(subject, 1.0))
    if random.random() < 0.3:
        near = pick(random, (grasses, spray))(random, *canvas)
        layers.append(SceneLayer(painted(random, near, *canvas), random.uniform(1.4, NEAREST)))

    focus = layers[0].inverse_depth if background_in_focus else 1.0
    widest = max(abs(layer.inverse_depth - focus) for layer in layers)
    blades = 0 if random.random() < 0.4 else int(random.integers(5, 10))
    strength = limit * random.uniform(0.7, 1) / widest
    lens = Lens(strength, focus, blades, random.uniform(0, 2 * np.pi))

    def developed(radiance: np.ndarray) -> np.ndarray:
        frame = radiance[:, margin:-margin, margin:-margin]
        return np.ascontiguousarray(encode_srgb(frame).transpose(1, 2, 0))

    nearness = np.rint(expose_depth(layers) * (255 / NEAREST)).astype(np.uint8)
    depth = np.ascontiguousarray(nearness[margin:-margin, margin:-margin])
    return developed(expose(layers)), developed(expose(layers, lens)), depth


@dataclass(frozen=True)
class SyntheticPairs:
    """Pairs that are rendered on access; a `train.data.pairs.PairSource`.

    Attributes:
        count: the number of pairs.
        seed: another seed gives other scenes.
        size: height and width of the photographs, multiples of 64.
        depth: whether the pairs carry a depth map.
    """

    count: int = 240
    seed: int = 0
    size: tuple[int, int] = (384, 512)
    depth: bool = False

    def __post_init__(self) -> None:
        if self.count < 1:
            raise UserError(f"count is {self.count}; expected 1 pair or more")
        if self.seed < 0:
            raise UserError(f"seed is {self.seed}; expected 0 or more")
        if any(side < 64 or side % 64 for side in self.size):
            height, width = self.size
            raise UserError(
                f"size is {height} {width}; expected height and width in multiples of 64"
            )

    def __len__(self) -> int:
        return self.count

    def __getitem__(self, index: int) -> Pair:
        if not 0 <= index < self.count:
            raise IndexError(f"pair {index} of {self.count}")
        original, bokeh, depth = _remembered_scene(self.seed, int(index), self.size)
        return Pair(f"{index:04d}", original, bokeh, depth if self.depth else None)


# Training uses each scene dozens of times. 512 scenes of 384×512 take 600 MB.
@lru_cache(maxsize=512)
def _remembered_scene(seed: int, index: int, size: tuple[int, int]) -> Scene:
    scene = render_scene(seed, index, size)
    for picture in scene:
        picture.flags.writeable = False
    return scene
