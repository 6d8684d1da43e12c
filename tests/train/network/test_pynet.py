"""PyNET: published parameter counts, output sizes, and equality with tf_keras."""

import dataclasses

import keras
import numpy as np
import pytest
import tf_keras

from train.network.presets import LEVELS, NETWORKS, PyNETConfig
from train.network.pynet import COLOURS, FOCUS_START, build_pynet, copy_weights

PUBLISHED_PARAMETERS = {
    7: 18_898_627,
    6: 28_336_579,
    5: 36_351_811,
    4: 43_205_123,
    3: 47_523_171,
    2: 47_524_827,
    1: 47_524_992,
}
HEADS_OF_LEVELS_7_TO_3 = 10
SMALL = {
    name: PyNETConfig(**{**vars(config), "width": 1 / 32}) for name, config in NETWORKS.items()
}

POCKET = dataclasses.replace(SMALL["pocket"], fourth_channel="none")


@pytest.mark.parametrize("level", LEVELS)
def test_reference_counts_the_published_parameters(level: int) -> None:
    model = build_pynet(NETWORKS["reference"], level)
    assert model.count_params() == PUBLISHED_PARAMETERS[level]
    if level == 1:
        assert len(model.variables) + HEADS_OF_LEVELS_7_TO_3 == 440


def test_mobile_counts_two_and_a_half_million_parameters() -> None:
    assert 2.4e6 < build_pynet(NETWORKS["mobile"]).count_params() < 2.6e6


def test_one_branch_has_the_filters_of_all() -> None:
    parallel, single = (
        build_pynet(dataclasses.replace(POCKET, parallel_kernels=kernels))
        for kernels in (True, False)
    )
    assert not any("5x5" in layer.name for layer in single.layers)
    for name in ("level_3_fuse", "level_4_c", "level_5_a", "level_7_a"):
        both = [layer for layer in parallel.layers if layer.name.startswith(f"{name}_")]
        wanted = sum(layer.filters for layer in both if layer.name.endswith("_second"))
        assert single.get_layer(f"{name}_3x3_second").filters == wanted


@pytest.mark.parametrize("name", NETWORKS)
@pytest.mark.parametrize("level", LEVELS)
def test_each_level_has_its_size(name: str, level: int) -> None:
    model = build_pynet(SMALL[name], level, input_size=(64, 96))
    assert model.output.shape == (None, 64 * 4 // 2**level, 96 * 4 // 2**level, 3)


@pytest.mark.parametrize(("level", "shape"), [(5, (8, 12, 4)), (2, (64, 96, 6))])
def test_sharpness_comes_beside_the_picture(level: int, shape: tuple[int, ...]) -> None:
    photo = np.random.default_rng(0).random((1, 64, 96, 3), np.float32)
    plain = build_pynet(POCKET, level)
    asked = build_pynet(POCKET, level, sharpness=True)
    copy_weights(plain, asked)
    picture, both = (np.asarray(model(photo, training=False)) for model in (plain, asked))
    assert both.shape == (1, *shape)
    np.testing.assert_array_equal(both[..., :3], picture)


def test_space_to_depth_takes_row_then_column_then_channel() -> None:
    model = build_pynet(SMALL["report"], level=7)
    rearranged = keras.Model(model.input, model.get_layer("space_to_depth_concatenation").output)
    photo = np.arange(64 * 64 * 3, dtype=np.float32).reshape(1, 64, 64, 3)
    first = np.asarray(rearranged(photo))[0, 0, 0]
    expected = [photo[0, row, column, c] for row in (0, 1) for column in (0, 1) for c in range(3)]
    np.testing.assert_array_equal(first, expected)


@pytest.mark.parametrize("level", LEVELS)
def test_an_untrained_mobile_network_hands_the_photograph_through(level: int) -> None:
    photo = np.random.default_rng(0).random((1, 64, 64, 3), np.float32)
    output = np.asarray(build_pynet(SMALL["mobile"], level)(photo, training=False))
    size = 64 * 4 // 2**level
    expected: np.ndarray
    if level > 1:
        expected = photo.reshape(1, size, 64 // size, size, 64 // size, 3).mean((2, 4))
    else:
        # Each pixel weighs 2/3 in its own direction and its neighbour 1/3.
        padded = np.pad(photo, ((0, 0), (1, 1), (1, 1), (0, 0)), mode="edge")
        rows: np.ndarray = np.repeat(padded, 2, axis=1)
        rows = (rows[:, 1:-3] + rows[:, 2:-2] + rows[:, 3:-1]) / 3
        both = np.repeat(rows, 2, axis=2)
        expected = (both[:, :, 1:-3] + both[:, :, 2:-2] + both[:, :, 3:-1]) / 3
    np.testing.assert_allclose(output, expected, atol=1e-5)


def test_without_normalization_features_keep_their_size() -> None:
    photo = np.random.default_rng(0).random((1, 64, 64, 3), np.float32)
    size = {}
    for gain in (1.0, 0.1):
        keras.utils.set_random_seed(0)
        model = build_pynet(dataclasses.replace(POCKET, residual_gain=gain), 3)
        before, after = (
            model.get_layer(f"level_3_{name}").output
            for name in ("c_3x3_second_activation", "f_sum")
        )
        entering, leaving = keras.Model(model.input, [before, after])(photo)
        size[gain] = float(np.std(leaving) / np.std(entering))
    assert size[1.0] > 2
    assert 0.9 < size[0.1] < 1.2


@pytest.mark.parametrize("name", NETWORKS)
def test_the_twin_in_tf_keras_computes_the_same(name: str) -> None:
    config = SMALL[name]
    model = build_pynet(config, level=1, input_size=(64, 64))
    random = np.random.default_rng(1)
    for layer in model.layers:  # also the heads that start at zero
        layer.set_weights([random.normal(0.2, 0.2, w.shape) ** 2 for w in layer.get_weights()])
    twin = build_pynet(config, level=1, input_size=(64, 64), keras=tf_keras)
    copy_weights(model, twin)
    photo = random.random((1, 64, 64, config.input_channels), np.float32)
    ours = np.asarray(model(photo, training=False))
    theirs = np.asarray(twin(photo, training=False))
    np.testing.assert_allclose(ours, theirs, rtol=1e-3, atol=1e-3 * np.abs(ours).max())


@pytest.mark.parametrize("name", ["mobile", "pocket"])
def test_an_untrained_network_gives_back_the_colours_whatever_the_fourth_channel(name: str) -> None:
    """Residual heads start from the photograph, and the map must not show in it."""
    config = dataclasses.replace(SMALL[name], fourth_channel="focus")
    photo = np.random.default_rng(4).random((1, 64, 64, 4), np.float32)
    photo[..., :3] = (0.3, 0.5, 0.7)  # a gated level 2 starts with some blur, which leaves it alone
    inside = slice(1, -1)
    for level in (5, 2):
        output = np.asarray(build_pynet(config, level)(photo, training=False))
        expected = np.broadcast_to(photo[0, 0, 0, :3], output.shape)
        np.testing.assert_allclose(
            output[:, inside, inside], expected[:, inside, inside], atol=1e-5
        )


def test_the_fixed_colours_are_not_trained() -> None:
    model = build_pynet(SMALL["pocket"])
    fixed = model.get_layer(COLOURS)
    np.testing.assert_array_equal(fixed.get_weights()[0][0, 0], np.eye(4, 3))
    trained = {variable.path for variable in model.trainable_variables}
    assert fixed.variables[0].path not in trained
    assert len(trained) == len(model.variables) - 1


@pytest.mark.parametrize("name", ["reference", "pocket"])
def test_the_focus_map_starts_with_larger_weights_than_the_colours(name: str) -> None:
    """With either stem: the same network that takes depth has the map's weights unchanged."""
    kernels = {}
    for channel in ("depth", "focus"):
        keras.utils.set_random_seed(0)
        model = build_pynet(dataclasses.replace(SMALL[name], fourth_channel=channel), 7)
        kernels[channel] = model.get_layer("encoder_3_3x3_first").get_weights()[0]
    colours = np.arange(kernels["depth"].shape[2]) % 4 < 3
    np.testing.assert_array_equal(kernels["focus"][:, :, colours], kernels["depth"][:, :, colours])
    np.testing.assert_allclose(
        kernels["focus"][:, :, ~colours], FOCUS_START * kernels["depth"][:, :, ~colours]
    )


def test_a_finer_level_keeps_the_features_of_the_one_below() -> None:
    below, above = build_pynet(SMALL["mobile"], 7), build_pynet(SMALL["mobile"], 6)
    copy_weights(below, above)
    name = "level_7_a_3x3_first"
    np.testing.assert_array_equal(
        below.get_layer(name).get_weights()[0], above.get_layer(name).get_weights()[0]
    )


def test_a_saved_model_computes_the_same_when_loaded(tmp_path: object) -> None:
    model = build_pynet(SMALL["report"])
    model.save(f"{tmp_path}/model.keras")
    photo = np.random.default_rng(2).random((1, 32, 64, 3), np.float32)
    loaded = keras.models.load_model(f"{tmp_path}/model.keras")
    np.testing.assert_array_equal(model(photo, training=False), loaded(photo, training=False))


@pytest.mark.parametrize(("level", "size"), [(0, (64, 64)), (8, (64, 64)), (1, (48, 64))])
def test_what_no_pynet_can_be_is_refused(level: int, size: tuple[int, int]) -> None:
    with pytest.raises(ValueError, match=r"level|multiples of 32"):
        build_pynet(SMALL["mobile"], level, input_size=size)
