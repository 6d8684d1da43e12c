"""The training command: all levels, interruptions of every kind, every backend."""

import ast
import dataclasses
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest
from tensorboardX import SummaryWriter

from pocket_bokeh.errors import UserError, run_command
from pocket_bokeh.photo import read_photo, write_photo
from tests.conftest import FEWER_LAYERS
from train import sequential
from train.loop.checkpoints import latest_step
from train.loop.level_training import start_level, trained_level
from train.loop.run_folder import Run, create_run, read_run
from train.loop.time_left import TimeLeft
from train.network.network_file import read_network
from train.network.presets import NETWORKS
from train.sequential import read_metrics, summary, train_level

MakeRun = Callable[..., Run]
StartCommand = Callable[..., subprocess.Popen[str]]


@pytest.mark.usefixtures("eagerly")
def test_each_level_starts_from_the_one_below_and_is_judged(
    tiny_run: MakeRun, capsys: pytest.CaptureFixture[str]
) -> None:
    run = tiny_run()
    create_run(run)
    with SummaryWriter(str(run.folder)) as events:
        for schedule in run.train.schedules:
            train_level(run, schedule, events, TimeLeft(run))
    metrics = read_metrics(run)
    assert list(metrics) == ["7", "6"]
    for level in (7, 6):
        assert metrics[str(level)]["untouched"]["psnr"] > 10
        pictures = read_photo(run.level_folder(level) / "pictures.png")
        assert pictures.shape[1] > pictures.shape[0] / 2 > 100
        assert len(list(run.level_folder(level).glob("step_*"))) == 1
    assert "level 7: PSNR" in capsys.readouterr().out
    rows = (run.folder / "history.csv").read_text().splitlines()
    assert [row.split(",")[:2] for row in rows[1:]] == [["7", "10"], ["6", "10"]]
    assert list(run.folder.glob("events.*"))
    assert "level 6: PSNR" in summary(run, 61)
    assert "0:01:01" in summary(run, 61)

    name = "level_7_a_3x3_first"
    start = start_level(run, run.train.schedules[1])
    np.testing.assert_array_equal(
        start.get_layer(name).get_weights()[0],
        trained_level(run, 7).get_layer(name).get_weights()[0],
    )


def test_the_command_says_what_is_wrong_and_makes_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "run"
    monkeypatch.setattr("sys.argv", ["sequential", "--preset", "huge", "--out", str(out)])
    with pytest.raises(SystemExit) as ended:
        run_command(sequential.main)
    assert ended.value.code == 2
    message = "unknown preset 'huge': expected one of reference, report, mobile"
    assert message in capsys.readouterr().err.splitlines()[-1]
    assert not out.exists()


def test_data_that_cannot_be_trained_on_is_one_line(
    pairs_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for file in (pairs_folder / "original").iterdir():
        whole = file.with_suffix(".jpg")
        write_photo(whole, read_photo(file))
        file.unlink()
        whole.write_bytes(whole.read_bytes()[:1200])
    for data, words in (
        ("nowhere", ["no such folder"]),
        (pairs_folder, ["12 of 24 files cannot be used", "damaged image"]),
    ):
        options = ["--data", data, "--schedule", "smoke", "--out", tmp_path / "run"]
        monkeypatch.setattr("sys.argv", ["sequential", *map(str, options)])
        with pytest.raises(UserError) as refused:
            sequential.main()
        assert all(word in str(refused.value) for word in words)
        assert "\n" not in str(refused.value)
        assert not (tmp_path / "run").exists()


SMALL = dataclasses.replace(NETWORKS["pocket"], width=1 / 16, **FEWER_LAYERS)

SMALLEST = dataclasses.replace(NETWORKS["mobile"], width=1 / 32, **FEWER_LAYERS)

# Two steps of a level take far less time than compiling them.
SMALL_COMMAND = """
import tensorflow as tf
from train import sequential
from train.network.presets import NETWORKS, PyNETConfig
NETWORKS["pocket"] = {small}
tf.config.run_functions_eagerly(True)
sequential.run_on_hosts(sequential.main)
"""


@pytest.mark.slow
@pytest.mark.usefixtures("eagerly")
def test_the_command_trains_all_levels_and_survives_ctrl_c(
    start_command: StartCommand,
    pairs_folder: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    out = tmp_path / "run"
    (tmp_path / "small_command.py").write_text(SMALL_COMMAND.format(small=SMALL))
    # With `--precision auto`, every level would be measured in two precisions first.
    arguments = ["--data", pairs_folder, "--schedule", "smoke", "--limit", "8", "--out", out]
    arguments += ["--precision", "float32"]
    path = os.pathsep.join([str(Path(sequential.__file__).parents[1]), str(tmp_path)])

    process = start_command("small_command", *arguments, PYTHONPATH=path)
    wait_for(process, out / "level_6")
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate()
    assert process.returncode == 2, errors
    assert "--resume" in errors.splitlines()[-1]
    # In this process, because TensorFlow starts slowly.
    monkeypatch.setitem(NETWORKS, "pocket", SMALL)
    monkeypatch.setattr("sys.argv", ["sequential", *map(str, arguments), "--resume"])
    sequential.main()
    assert "quantize.export" in capsys.readouterr().out
    assert list(json.loads((out / "metrics.json").read_text())) == list("7654321")
    assert read_network(out / "model.keras").preset == "pocket"
    assert len(read_run(out).pairs("train")) == 8


# Trains level 7 in each of the folders given. A folder called `killed` is trained only until its
# fourth checkpoint. There SIGKILL ends the process, as a power failure would. JAX runs without
# TensorFlow's modules, as on a GPU machine that has JAX alone.
ONE_LEVEL = """
import os, signal, sys
from pathlib import Path
if {without_tensorflow}:
    sys.modules.update(dict.fromkeys(["tensorflow", "tf_keras"]))
from tensorboardX import SummaryWriter
from train.loop import level_training
from train.loop.run_folder import Run, check_same_run, create_run
from train.loop.time_left import TimeLeft
from train.network.presets import LevelSchedule, PyNETConfig, TrainConfig
from train.sequential import train_level
schedule = LevelSchedule(7, 5, 2, 1e-3, "cosine")
config = TrainConfig(64, 64, "mirror", "average", (schedule,), 2, checkpoint_seconds=0.0)
save_checkpoint = level_training.save_checkpoint

def save_or_die(folder, model, step, recent):
    if step == 4:
        os.kill(os.getpid(), signal.SIGKILL)
    save_checkpoint(folder, model, step, recent)

pairs, *folders = sys.argv[1:]
for folder in map(Path, folders):
    run = Run(folder, "small", {network}, config, (pairs,), seed=0)
    resumes = folder.exists()
    check_same_run(run) if resumes else create_run(run)
    if folder.name == "killed" and not resumes:
        level_training.save_checkpoint = save_or_die
    with SummaryWriter(str(folder)) as events:
        train_level(run, schedule, events, TimeLeft(run))
"""


@pytest.mark.slow
@pytest.mark.parametrize("backend", ["tensorflow", "jax", "torch"])
def test_a_run_killed_by_force_ends_bit_for_bit_as_one_that_was_not(
    pairs_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, backend: str
) -> None:
    if not find_spec(backend):  # the project does not bring PyTorch, 3 GB
        pytest.skip(f"{backend} is not installed")
    monkeypatch.setenv("KERAS_BACKEND", backend)
    # The two processes compile the same; JAX takes long over it, and longer to do it well.
    monkeypatch.setenv("XLA_FLAGS", "--xla_backend_optimization_level=0")
    monkeypatch.setenv("JAX_COMPILATION_CACHE_DIR", str(tmp_path / "compiled"))
    monkeypatch.setenv("JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS", "0")
    script = tmp_path / "one_level.py"
    script.write_text(ONE_LEVEL.format(without_tensorflow=backend == "jax", network=SMALLEST))
    monkeypatch.setenv("PYTHONPATH", str(Path(sequential.__file__).parents[1]))

    def train(*folders: Path) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, script, pairs_folder, *folders]
        return subprocess.run(list(map(str, command)), stderr=subprocess.PIPE, text=True)

    whole, killed = tmp_path / "whole", tmp_path / "killed"
    ended = train(whole, killed)
    assert ended.returncode == -signal.SIGKILL, ended.stderr
    assert (whole / "metrics.json").exists()
    assert latest_step(killed / "level_7") == 3
    ended = train(killed)
    assert ended.returncode == 0, ended.stderr
    for ours, theirs in zip(
        trained_level(read_run(whole), 7).get_weights(),
        trained_level(read_run(killed), 7).get_weights(),
        strict=True,
    ):
        np.testing.assert_array_equal(ours, theirs)


def wait_for(process: subprocess.Popen[str], path: Path) -> None:
    while not path.exists():
        assert process.poll() is None, process.communicate()[1]
        time.sleep(0.02)


def test_train_needs_no_tensorflow_to_be_imported() -> None:
    """A machine with JAX alone can train: only Keras itself may import TensorFlow.

    The exceptions are the reader of TensorFlow's own checkpoints, and what sets options of
    TensorFlow where Keras has imported it already.
    """
    exceptions = ("published_checkpoint.py", "graph_optimization.py")
    files = sorted(Path(sequential.__file__).parent.rglob("*.py"))
    assert len(files) > 20
    for file in files:
        nodes = list(ast.walk(ast.parse(file.read_text())))
        names = [node.module or "" for node in nodes if isinstance(node, ast.ImportFrom)]
        names += [
            each.name for node in nodes if isinstance(node, ast.Import) for each in node.names
        ]
        assert file.name in exceptions or not {"tensorflow", "tf_keras"} & {
            name.partition(".")[0] for name in names
        }, file
