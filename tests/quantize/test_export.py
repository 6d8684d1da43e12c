"""A run is exported as a bundle whose models agree with the network."""

import json
import shutil
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import tensorflow as tf
import tyro
from ai_edge_litert.interpreter import Interpreter

from pocket_bokeh.bundle import Bundle, read_bundle
from pocket_bokeh.command import RenderOptions
from pocket_bokeh.errors import UserError
from pocket_bokeh.focus_map import focus_map
from pocket_bokeh.litert_model import LiteRTModel
from pocket_bokeh.photo import read_photo, to_float, to_uint8
from quantize import export as export_module
from quantize.convert.operators import float_operators_inside, list_operators
from quantize.convert.recipes import RECIPES
from quantize.convert.samples import crop_to_fill
from quantize.convert.trained_network import open_trained_network, with_sharpness
from quantize.export import (
    ExportOptions,
    export,
    fine_tune_on_pairs,
    main,
    next_commands,
    parse_size,
    parse_sizes,
)
from quantize.proof.figures_table import figures_table
from tests.conftest import IN_PORTRAIT, LANDSCAPE, PORTRAIT, TINY
from train.data.data_folders import BUILT_IN
from train.data.focus_points import pair_input
from train.data.named_pairs import open_pairs
from train.loop.run_folder import Run
from train.network.network_file import read_network, write_network
from train.network.pynet import build_pynet


def test_every_recipe_is_there_at_the_working_sizes_that_it_was_given(tiny_bundle: Bundle) -> None:
    bundle = read_bundle(tiny_bundle.folder)
    assert bundle == tiny_bundle
    assert bundle.recipes == tuple(RECIPES)
    for recipe in bundle.recipes:
        sizes = [model.working_size for model in bundle.models_of(recipe)]
        assert sizes == ([LANDSCAPE, PORTRAIT] if recipe in IN_PORTRAIT else [LANDSCAPE])
    for model in bundle.models:
        runnable = LiteRTModel(bundle.folder / model.file)
        assert runnable.output_size == model.working_size
        assert runnable.input_size == tuple(side // 2 for side in model.working_size)


def test_float_models_equal_the_network_and_int8_is_close(tiny_bundle: Bundle) -> None:
    worst = {
        recipe: max(model.figures["largest_step"] for model in tiny_bundle.models_of(recipe))
        for recipe in tiny_bundle.recipes
    }
    assert worst["float32"] < 0.01
    assert worst["float16"] < 0.5
    least = {
        recipe: min(model.figures["psnr_to_float32"] for model in tiny_bundle.models_of(recipe))
        for recipe in tiny_bundle.recipes
    }
    assert worst["int8_qat"] < 25
    assert least["int8_qat"] > 33
    assert least["int8_ptq"] > 33
    assert least["int16x8"] > 45
    assert least["dynamic_int8"] > 40
    for model in tiny_bundle.models:
        assert model.figures["untouched_psnr_to_target"] > 15


@pytest.mark.parametrize("recipe", ["int8_qat", "int8_ptq", "int16x8"])
def test_an_integer_model_computes_in_integers_alone(tiny_bundle: Bundle, recipe: str) -> None:
    for model in tiny_bundle.models_of(recipe):
        content = (tiny_bundle.folder / model.file).read_bytes()
        operators = list_operators(content)
        assert not any(operator.computes_in_float for operator in operators)
        assert float_operators_inside(content) == ()
        # The GPU delegate refuses version 4, which has an activation fused into it.
        versions = {op.version for op in operators if op.name == "TRANSPOSE_CONV"}
        assert max(versions) <= 3
        assert model.input.type == model.output.type == "uint8"
        for edge in (model.input, model.output):
            assert edge.scale == pytest.approx(1 / 255, rel=1e-6)
            assert edge.zero_point == 0


def test_figures_agree_with_tensorflows_own_interpreter(tiny_bundle: Bundle) -> None:
    golden = {pair.working_size: pair for pair in tiny_bundle.golden}
    for model in tiny_bundle.models:
        if model.recipe == "int16x8":  # TensorFlow's interpreter refuses its edges
            continue
        pair = golden[model.working_size]
        photo = read_photo(tiny_bundle.folder / pair.input)
        expected = read_photo(tiny_bundle.folder / pair.output)
        output = run_in_tensorflow(tiny_bundle.folder / model.file, photo)
        steps = np.abs(output.astype(int) - expected.astype(int))
        assert abs(steps.max() - model.figures["golden_largest_step"]) <= 2
        assert steps.mean() == pytest.approx(model.figures["golden_mean_step"], abs=0.1)
        ours = to_uint8(LiteRTModel(tiny_bundle.folder / model.file).run(to_float(photo)))
        # TensorFlow's reference kernels round integer additions differently from XNNPACK.
        assert np.abs(output.astype(int) - ours).max() <= (5 if model.recipe == "int8_ptq" else 2)


def run_in_tensorflow(file: Path, photo: np.ndarray) -> np.ndarray:
    """Runs the file without XNNPACK, uint8 in and out."""
    interpreter = tf.lite.Interpreter(
        str(file),
        experimental_op_resolver_type=tf.lite.experimental.OpResolverType.BUILTIN_REF,
    )
    interpreter.allocate_tensors()
    (source,), (sink,) = interpreter.get_input_details(), interpreter.get_output_details()
    integer = source["dtype"] == np.uint8
    interpreter.set_tensor(source["index"], (photo if integer else to_float(photo))[None])
    interpreter.invoke()
    output = interpreter.get_tensor(sink["index"])[0]
    return output if integer else to_uint8(output)


def test_the_bundle_contains_no_paths_and_no_dates(tiny_bundle: Bundle, tiny_run: Run) -> None:
    text = (tiny_bundle.folder / "bundle.json").read_text()
    assert str(tiny_run.folder.parent) not in text
    assert json.loads(text)["name"] == "tiny"
    assert text.endswith("}\n")


def test_a_failure_midway_leaves_nothing(
    tiny_run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*arguments: Any) -> None:
        raise OSError("no space left")

    monkeypatch.setattr(export_module, "golden_pair", fail)
    options = ExportOptions(tiny_run.folder, compared_pairs=1)
    source = open_trained_network(tiny_run.folder)
    with pytest.raises(OSError, match="no space"):
        export(source, tmp_path / "bundles" / "b", ["float32"], {(64, 64): ()}, options)
    assert list(tmp_path.rglob("*")) == []


def test_an_unfinished_run_is_refused(tiny_run: Run, tmp_path: Path) -> None:
    folder = tmp_path / "unfinished"
    folder.mkdir()
    (folder / "config.json").write_bytes((tiny_run.folder / "config.json").read_bytes())
    assert "has not finished" in command_error(str(folder))


def test_a_damaged_model_file_is_refused(tiny_run: Run, tmp_path: Path) -> None:
    folder = tmp_path / "damaged"
    folder.mkdir()
    (folder / "config.json").write_bytes((tiny_run.folder / "config.json").read_bytes())
    (folder / "model.keras").write_bytes((tiny_run.folder / "model.keras").read_bytes()[:5000])
    assert "damaged" in command_error(str(folder))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--recipes", "int4"], "unknown recipe 'int4': expected one of float32, float16, dyn"),
        (["--working-sizes", "100x200"], "multiples of 64; the nearest is 128x192"),
        (["--working-sizes", "big"], "expected HEIGHTxWIDTH"),
        (["--out", "{run}"], "file or folder exists already"),
        (["--compared-pairs", "0"], "--compared-pairs: at least one"),
        (["--calibration-photos", "0"], "--calibration-photos: at least one"),
        (["--data", "nowhere"], "nowhere: no such folder"),
    ],
)
def test_what_cannot_be_exported_is_refused_in_one_line(
    tiny_run: Run, arguments: list[str], message: str
) -> None:
    arguments = [argument.format(run=tiny_run.folder) for argument in arguments]
    assert message in command_error(str(tiny_run.folder), *arguments)


def test_a_networks_file_is_exported_like_a_run(
    tiny_run: Run, tiny_bundle: Bundle, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "bundle"
    arguments = [str(tiny_run.model_file), "--out", str(out), "--working-sizes", "64x128"]
    arguments += ["--recipes", "float32", "--compared-pairs", "2"]
    monkeypatch.setattr(sys, "argv", ["export", *arguments])
    main()
    bundle = read_bundle(out)
    assert (bundle.name, bundle.preset) == ("model", "tiny")
    # The run uses the built-in pairs, which are also the default for a file.
    assert bundle.models == tiny_bundle.models_of("float32")[:1]


def test_a_network_with_depth_is_exported(
    depth_bundle: Bundle, depth_file: Path, depth_pairs: Path
) -> None:
    assert read_bundle(depth_bundle.folder) == depth_bundle
    assert depth_bundle.sees_depth
    worst = {model.recipe: model.figures["largest_step"] for model in depth_bundle.models}
    assert worst["float32"] < 0.05
    assert worst["float16"] < 2
    assert LiteRTModel(depth_bundle.folder / depth_bundle.models[0].file).input_channels == 4
    golden = depth_bundle.golden[0]
    photo, depth = (read_photo(depth_bundle.folder / f) for f in (golden.input, str(golden.depth)))
    seen = np.dstack([to_float(photo), to_float(depth[..., 0])])
    network = read_network(depth_file).model
    expected = np.clip(np.asarray(network(seen[None], training=False))[0], 0, 1)
    output = read_photo(depth_bundle.folder / golden.output)
    assert np.abs(to_float(output) - expected).max() < 0.51 / 255
    # The golden pair is a built-in scene with its depth map.
    scene = pair_input(
        crop_to_fill(open_pairs(BUILT_IN, "test", depth=True)[0], golden.working_size),
        sees_focus=False,
    )
    assert np.abs(seen - scene).max() < 0.51 / 255
    assert np.ptp(depth) > 100


def test_a_network_with_a_focus_map_is_exported_with_and_without_a_point(
    focus_bundle: Bundle, focus_file: Path
) -> None:
    assert read_bundle(focus_bundle.folder) == focus_bundle
    assert focus_bundle.fourth_channel == "focus"
    assert focus_bundle.recipes == ("float32", "int8_qat")
    automatic, told = focus_bundle.golden_of((64, 128))
    assert (automatic.focus, automatic.focus_points) == (None, ())
    seen = [focus_bundle.golden_input(pair) for pair in (automatic, told)]
    np.testing.assert_array_equal(seen[0][..., :3], seen[1][..., :3])
    assert not seen[0][..., 3].any()
    drawn = to_float(focus_map((32, 64), told.focus_points))
    np.testing.assert_array_equal(seen[1][..., 3], drawn)
    assert drawn.max() == 1
    network = read_network(focus_file).model
    expected = np.clip(np.asarray(network(np.stack(seen), training=False)), 0, 1)
    assert np.abs(expected[0] - expected[1]).max() > 2 / 255
    for pair, output in zip((automatic, told), expected, strict=True):
        golden = read_photo(focus_bundle.folder / pair.output)
        assert np.abs(to_float(golden) - output).max() < 0.51 / 255
        for model in focus_bundle.models:
            ran = LiteRTModel(focus_bundle.folder / model.file).run(focus_bundle.golden_input(pair))
            steps = np.abs(to_uint8(ran[..., :3]).astype(int) - golden)
            assert steps.max() <= model.figures["golden_largest_step"]
            assert steps.max() <= 1 or model.recipe != "float32"


def test_a_network_with_a_gate_is_exported_with_the_sharpness_it_predicts(
    focus_bundle: Bundle, focus_file: Path
) -> None:
    assert focus_bundle.gives_sharpness
    network = with_sharpness(read_network(focus_file)).model
    for pair in focus_bundle.golden:
        seen = focus_bundle.golden_input(pair)
        sharpness = np.clip(np.asarray(network(seen[None]))[0, ..., 3], 0, 1)
        golden = focus_bundle.golden_output(pair)[..., 3]
        assert np.ptp(sharpness) > 0.04
        assert np.abs(golden - sharpness).max() < 0.51 / 255
        for model in focus_bundle.models:
            runnable = LiteRTModel(focus_bundle.folder / model.file)
            assert runnable.output_channels == 4
            mean = 255 * np.abs(np.clip(runnable.run(seen)[..., 3], 0, 1) - sharpness).mean()
            stated = model.figures["golden_sharpness_mean_step"]
            assert mean < 2 * stated + 0.01  # the mean over both pairs
            assert stated < (0.01 if model.recipe == "float32" else 8)


def test_a_gate_that_was_not_trained_to_tell_what_is_in_focus_is_not_asked(
    focus_file: Path, tmp_path: Path
) -> None:
    network = read_network(focus_file)
    write_network(tmp_path / "quick.keras", network.model, "pocket", network.config, level=1)
    channels = {
        file: open_trained_network(file).network.model.output_shape[-1]
        for file in (focus_file, tmp_path / "quick.keras")
    }
    assert list(channels.values()) == [4, 3]


def test_fine_tuning_leaves_the_colours_alone(focus_bundle: Bundle) -> None:
    """The layer that leaves out the fourth channel still passes the photo on exactly."""
    model = focus_bundle.models_of("int8_qat")[0]
    interpreter = Interpreter(
        str(focus_bundle.folder / model.file), experimental_preserve_all_tensors=True
    )
    interpreter.allocate_tensors()
    kernels = [
        interpreter.get_tensor(tensor["index"])
        for tensor in interpreter.get_tensor_details()
        if tuple(tensor["shape"]) == (3, 1, 1, 4)
    ]
    assert len(kernels) == 1
    np.testing.assert_array_equal(kernels[0][:, 0, 0], 127 * np.eye(3, 4))


def test_pairs_without_depth_are_refused_for_a_network_with_depth(
    depth_file: Path, depth_pairs: Path, tmp_path: Path
) -> None:
    flat = tmp_path / "flat"
    for kind in ("original", "bokeh"):
        shutil.copytree(depth_pairs / kind, flat / kind)
    arguments = [str(depth_file), "--data", str(flat), "--out", str(tmp_path / "b")]
    assert "original_depth/ has no map for 0 (4 of 4 are missing)" in command_error(*arguments)


def test_int8_of_the_reference_is_refused_before_any_work(
    depth_file: Path, depth_pairs: Path, tmp_path: Path
) -> None:
    arguments = [str(depth_file), "--data", str(depth_pairs), "--out", str(tmp_path / "b")]
    message = command_error(*arguments, "--recipes", "float32", "int8_ptq")
    assert message.startswith("int8_ptq: ")
    assert "GroupNormalization" in message
    assert "use float16" in message


def test_unsupported_recipes_are_left_out_and_reported(depth_bundle: Bundle) -> None:
    bundle = read_bundle(depth_bundle.folder)
    assert bundle.recipes == ("float32", "float16", "dynamic_int8")
    assert set(bundle.refused) == {"int8_ptq", "int8_qat", "int16x8"}
    with pytest.raises(UserError, match=r"no recipe 'int8_qat'.*was refused: the network has"):
        bundle.models_of("int8_qat")


def test_a_network_of_another_level_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "coarse.keras"
    write_network(file, build_pynet(TINY, 7), "tiny", TINY, level=7)
    assert "a network cut at level 7" in command_error(str(file))


@pytest.mark.parametrize("name", ["nothing", "nothing.keras"])
def test_a_missing_file_is_refused(tmp_path: Path, name: str) -> None:
    assert "no such file" in command_error(str(tmp_path / name))


def command_error(*arguments: str) -> str:
    """The error of the command, run in this process because TensorFlow starts slowly."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "argv", ["export", *arguments])
        with pytest.raises(UserError) as refused:
            main()
    assert "\n" not in str(refused.value)
    return str(refused.value)


def test_working_sizes_are_height_by_width() -> None:
    assert parse_size("384x512") == (384, 512)
    assert parse_size("512×384") == (512, 384)


def test_a_size_can_be_limited_to_some_recipes() -> None:
    sizes = parse_sizes(["384x512", "512x384:float16,int8_qat"])
    assert sizes == {(384, 512): (), (512, 384): ("float16", "int8_qat")}
    with pytest.raises(UserError, match="unknown recipe 'int4'"):
        parse_sizes(["384x512:int4"])
    with pytest.raises(UserError, match="384x512 is named twice"):
        parse_sizes(["384x512", "384x512:float16"])


@pytest.mark.slow
def test_from_the_command_line(tiny_run: Run, tiny_bundle: Bundle, tmp_path: Path) -> None:
    out = tmp_path / "bundle"
    command = [sys.executable, "-m", "quantize.export", str(tiny_run.folder), "--out", str(out)]
    command += ["--working-sizes", "64x128", "--recipes", "float32", "int8_qat"]
    command += ["--fine-tune-steps", "4", "--compared-pairs", "2"]
    ended = subprocess.run(command, capture_output=True, text=True)
    assert ended.returncode == 0, ended.stderr
    assert f"python -m gradio_app --bundle {out}" in ended.stdout
    assert "int8_qat against float32 " in ended.stdout
    made = [(model.recipe, model.working_size) for model in read_bundle(out).models]
    assert made == [("float32", LANDSCAPE), ("int8_qat", LANDSCAPE)]
    assert (out / "int8_qat_history.csv").read_text().startswith("step,loss,psnr_to_float32")
    # No other files are left, and the same inputs give the same bytes.
    assert [entry.name for entry in tmp_path.iterdir()] == ["bundle"]
    for file in sorted(out.iterdir()):
        if file.name != "bundle.json":
            assert file.read_bytes() == (tiny_bundle.folder / file.name).read_bytes(), file.name
    assert command_error(*command[3:]).startswith(f"{out}: bundle exists already")


def test_the_printed_command_renders_with_the_bundle(tiny_bundle: Bundle) -> None:
    _, command = next_commands(tiny_bundle).split("python -m pocket_bokeh ")
    options = tyro.cli(RenderOptions, args=command.split())
    assert options.photos == (Path("PHOTO"),)
    assert (options.bundle, options.recipe) == (tiny_bundle.folder, "int8_qat")


def test_table_and_bundle_name_the_pairs_behind_the_figures(tiny_bundle: Bundle) -> None:
    said = "2 pairs of val (used to select weights)"
    assert read_bundle(tiny_bundle.folder).judged_on == said
    assert f"to target, untouched and SSIM: means over {said}" in figures_table(tiny_bundle)


def test_fine_tuning_does_not_resume_with_other_pairs(
    depth_file: Path, depth_pairs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also if a file was replaced by one of the same size."""
    shutil.copytree(depth_pairs, tmp_path / "pairs")
    source = open_trained_network(depth_file, (str(tmp_path / "pairs"),))
    identities: list[str] = []
    monkeypatch.setattr(export_module, "fine_tune", lambda *given: identities.append(given[-1]))
    model = SimpleNamespace(get_weights=lambda: [])
    for change in (False, False, True):
        if change:
            first, second = sorted((tmp_path / "pairs/bokeh").iterdir())[:2]
            content = first.read_bytes()
            shutil.copy(second, first)
            assert first.read_bytes() != content
        fine_tune_on_pairs(source, model, 1, tmp_path / "state")
    assert identities[0] == identities[1] != identities[2]


def test_an_output_that_cannot_be_created_is_refused_first(
    tiny_run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").write_text("")
    command = ["export", str(tiny_run.folder), "--out", str(tmp_path / "file/bundle")]
    monkeypatch.setattr(sys, "argv", command)
    monkeypatch.setattr(export_module, "export", lambda *_: pytest.fail("exported"))
    with pytest.raises(UserError, match="file is a file"):
        main()
