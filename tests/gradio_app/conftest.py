"""A bundle of two small models whose output is known: the photo doubled, and its negative."""

import numpy as np
import pytest
import tf_keras

from quantize.bundle import Bundle, BundledModel, EdgeFormat, GoldenPair, sha256, write_bundle
from quantize.convert import convert
from quantize.export import encode_png
from quantize.recipes import RECIPES

SIZE = (64, 96)


@pytest.fixture(scope="session")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Bundle:
    contents: dict[str, bytes] = {}
    models = []
    for recipe, gain, offset in (("float32", 1.0, 0.0), ("float16", -1.0, 1.0)):
        photo = tf_keras.Input((None, None, 3))
        doubled = tf_keras.layers.UpSampling2D(2)(photo)
        network = tf_keras.Model(photo, tf_keras.layers.Rescaling(gain, offset)(doubled))
        content = convert(network, RECIPES[recipe], (SIZE[0] // 2, SIZE[1] // 2))
        file, edge = f"{recipe}.tflite", EdgeFormat("float32")
        contents[file] = content
        models.append(BundledModel(recipe, file, SIZE, edge, edge, len(content), sha256(content)))
    picture = encode_png(np.zeros((8, 8, 3), np.uint8))
    contents |= {"input.png": picture, "output.png": picture}
    golden = GoldenPair(SIZE, "input.png", sha256(picture), "output.png", sha256(picture))
    folder = tmp_path_factory.mktemp("bundles") / "known"
    known = Bundle(folder, "known", "mobile", tuple(models), (golden,))
    write_bundle(known, contents)
    return known
