"""A bundle's float32 model becomes a network again, or the bundle is refused in one line."""

import dataclasses
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from pocket_bokeh.bundle import SHIPPED_BUNDLE, read_bundle, rewrite_description
from pocket_bokeh.errors import UserError
from pocket_bokeh.litert_model import LiteRTModel
from pocket_bokeh.photo import read_photo, to_float
from train.network.bundled_network import read_bundled_network
from train.network.network_file import Network
from train.network.presets import NETWORKS

INTEGERS = tuple(m for m in read_bundle(SHIPPED_BUNDLE).models if m.recipe == "int8_qat")


@pytest.fixture(scope="module")
def network() -> Network:
    return read_bundled_network(SHIPPED_BUNDLE)


def test_the_network_computes_what_the_shipped_model_computes(network: Network) -> None:
    bundle = read_bundle(SHIPPED_BUNDLE)
    (golden,) = (g for g in bundle.golden if g.focus and g.working_size == (384, 512))
    colours = to_float(read_photo(SHIPPED_BUNDLE / golden.input))
    focus = to_float(read_photo(SHIPPED_BUNDLE / str(golden.focus)))[..., :1]
    photo = np.concatenate([colours, focus], axis=-1)
    model = LiteRTModel(SHIPPED_BUNDLE / "float32_384x512.tflite", fourth_channel="focus")
    assert (network.preset, network.config, network.level) == ("pocket", NETWORKS["pocket"], 1)
    np.testing.assert_allclose(network.model(photo[None])[0], model.run(photo)[..., :3], atol=1e-5)


def test_the_weights_before_and_behind_the_features_of_level_2_are_equally_large(
    network: Network,
) -> None:
    (before,) = network.model.get_layer("level_3_up").get_weights()
    behind = np.concatenate(
        [network.model.get_layer(f"level_2_{name}").get_weights()[0] for name in ("head", "gate")],
        axis=-1,
    )[:, :, : before.shape[2]]
    np.testing.assert_allclose(
        np.square(before).mean((0, 1, 3)), np.square(behind).mean((0, 1, 3)), rtol=1e-4
    )


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"preset": "tiny"}, "unknown preset 'tiny'"),
        ({"preset": "mobile"}, "folded the normalization of preset mobile"),
        ({"models": INTEGERS}, "no float32 model"),
    ],
)
def test_a_bundle_whose_network_cannot_be_read_back_is_refused(
    changes: dict[str, Any], message: str, tmp_path: Path
) -> None:
    bundle = read_bundle(SHIPPED_BUNDLE)
    for file in (*bundle.records, *(m.file for m in bundle.models)):
        (tmp_path / file).symlink_to(SHIPPED_BUNDLE / file)
    for golden in bundle.golden:
        for name in golden.checksums():
            if not (tmp_path / name).exists():
                (tmp_path / name).symlink_to(SHIPPED_BUNDLE / name)
    rewrite_description(dataclasses.replace(bundle, folder=tmp_path, **changes))
    with pytest.raises(UserError, match=message):
        read_bundled_network(tmp_path)


def test_a_bundle_with_other_layers_than_its_preset_is_refused(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    wider = dataclasses.replace(NETWORKS["pocket"], width=0.5)
    monkeypatch.setitem(NETWORKS, "pocket", wider)
    with pytest.raises(UserError, match="its layer encoder_3_3x3_first is not that of the preset"):
        read_bundled_network(SHIPPED_BUNDLE)
