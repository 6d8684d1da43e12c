"""Several devices and several hosts train to the weights that one device trains to."""

import json
import os
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest

from pocket_bokeh.errors import UserError
from train.loop.devices import DeviceOptions, use_devices
from train.network.presets import LevelSchedule

# Run in processes of their own: backend and devices are chosen when a process starts. It trains
# level 7 once for every entry of its argument, and writes the weights as this host has them, and as
# the next level would read them. The network has few layers, because JAX compiles long.
PROGRAM = """
import functools, json, os, sys
from pathlib import Path

import keras
import numpy as np
from tensorboardX import SummaryWriter

from train import sequential
from train.loop import level_training, time_left
from train.loop.devices import (
    DeviceOptions,
    check_hosts_agree,
    host_count,
    host_index,
    is_first_host,
    on_first_host,
    run_on_hosts,
    use_devices,
)
from pocket_bokeh.errors import UserError
from train.loop.level_training import trained_level
from train.network.presets import LEVELS, NETWORKS, LevelSchedule, TrainConfig
from train.loop.run_folder import Run, create_run

SCHEDULE = LevelSchedule(7, 3, 4, 3e-3)
CONFIG = TrainConfig(128, 128, "mirror", "average", (SCHEDULE,), 1, checkpoint_seconds=0.0)
# What each level costs is counted on the whole network, which takes long to build.
time_left.level_costs = lambda network, crop: dict.fromkeys(LEVELS, 1.0)
# Adam divides a gradient by its own size, and so takes whole steps along what is rounding alone.
keras.optimizers.Adam = functools.partial(keras.optimizers.Adam, epsilon=1e-2)
models, start_level = [], sequential.start_level


def few_layers(*_, **__):
    layers = keras.layers
    return keras.Sequential(
        [
            layers.Input((None, None, 3)),
            layers.Conv2D(8, 3, strides=4, padding="same"),
            layers.BatchNormalization(),
            layers.ReLU(),
            layers.Conv2D(8, 3, strides=4, padding="same"),
            layers.BatchNormalization(),
            layers.MaxPooling2D(2),
            layers.Conv2D(3, 1),
        ]
    )


level_training.build_pynet = few_layers


def main():
    for training in json.loads(sys.argv[1]):
        data, out = training.pop("data"), Path(training.pop("out"))
        use_devices(DeviceOptions(**training), [SCHEDULE])
        train(Run(out, "tiny", NETWORKS["mobile"], CONFIG, data, seed=0))
    if host_count() == 1:
        refuse()
    elif host_index() == 1:
        os._exit(9)  # as if it were switched off
    check_hosts_agree("nothing any more", 0)


def train(run):
    sequential.start_level = lambda *some: models.append(start_level(*some)) or models[-1]
    on_first_host(lambda: create_run(run))
    with SummaryWriter(str(run.folder), write_to_disk=is_first_host()) as events:
        sequential.train_level(run, SCHEDULE, events, time_left.TimeLeft(run))
    for kind, model in {"own": models[-1], "read": trained_level(run, 7)}.items():
        weights = [np.ravel(weight) for weight in model.get_weights()]
        np.save(run.folder / f"{kind}_{host_index()}.npy", np.concatenate(weights))


def refuse():
    for devices, batch in ((3, 6), (2, 5)):
        try:
            use_devices(DeviceOptions(devices=devices), [LevelSchedule(6, 1, batch)])
        except UserError as error:
            print(error)


run_on_hosts(main)
"""


def start(*trainings: dict[str, Any], devices: int = 1) -> subprocess.Popen[str]:
    """Starts the program on a machine that shows its processor as so many devices."""
    return subprocess.Popen(
        [sys.executable, "-c", PROGRAM, json.dumps(trainings, default=str)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={
            **os.environ,
            "KERAS_BACKEND": "jax",
            "PYTHONPATH": str(Path(__file__).parents[3]),
            # Compiled in a third of the time.
            "XLA_FLAGS": f"--xla_force_host_platform_device_count={devices} "
            "--xla_backend_optimization_level=0",
        },
    )


def ends(*processes: subprocess.Popen[str]) -> list[tuple[int, str, str]]:
    """Exit status, output and errors of each; one that hangs is killed, and fails."""

    def kill() -> None:
        for process in processes:
            process.kill()

    alarm = threading.Timer(500, kill)
    alarm.start()
    try:
        outputs = [process.communicate() for process in processes]
    finally:
        alarm.cancel()
    return [
        (process.returncode, *output) for process, output in zip(processes, outputs, strict=True)
    ]


@pytest.mark.slow
def test_devices_and_hosts_train_to_the_weights_of_one_device(
    pairs_folder: Path, tmp_path: Path, free_address: Callable[[], str]
) -> None:
    def training(out: str, **options: Any) -> dict[str, Any]:
        return {"data": pairs_folder, "out": tmp_path / out, **options}

    def weights(out: str, kind: str = "own", host: int = 0) -> np.ndarray:
        return np.load(tmp_path / out / f"{kind}_{host}.npy")

    addresses = [free_address(), free_address()]
    hosts = [training("hosts", hosts=addresses, host_index=n) for n in (0, 1)]
    one_host, first, second = ends(
        start(training("one"), training("two", devices=2), devices=2),
        *(start(host) for host in hosts),
    )

    # The second host is gone without a word after the training: the first says so, and ends.
    assert (one_host[0], first[0], second[0]) == (0, 2, 9), one_host[2] + first[2] + second[2]
    assert first[2].splitlines()[-1].startswith("error: another host was lost")
    for several in ("two", "hosts"):
        np.testing.assert_allclose(weights(several), weights("one"), rtol=1e-4, atol=2e-5)
    np.testing.assert_array_equal(weights("hosts", host=1), weights("hosts", host=0))
    for host in (0, 1):
        np.testing.assert_array_equal(weights("hosts", "read", host), weights("hosts"))
    written = [sorted(p.name for p in (tmp_path / o).rglob("*")) for o in ("two", "hosts")]
    names = [{name.split(".")[0] for name in names} for names in written]
    assert names[1] == names[0] | {"own_1", "read_1"}
    assert sum(name.startswith("events.") for name in written[1]) == 1

    assert "--devices 3: this machine has only 2 (cpu:0, cpu:1)" in one_host[1]
    assert "level 6: its batch of 5 crops cannot be divided among 2 devices" in one_host[1]


@pytest.mark.skipif(keras.backend.backend() != "tensorflow", reason="tests the other backend")
def test_another_backend_is_told_what_to_set() -> None:
    with pytest.raises(UserError, match=r"--devices needs Keras on JAX.*KERAS_BACKEND=jax"):
        use_devices(DeviceOptions(devices=2), [])
    use_devices(DeviceOptions(), [LevelSchedule(7, 1, 3)])


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (DeviceOptions(devices=0), "--devices 0: expected 1 or more"),
        (DeviceOptions(hosts=("a", "b:1"), host_index=0), "--hosts a: expected name:port"),
        (DeviceOptions(hosts=("a:1", "a:1"), host_index=0), "is listed twice"),
        (DeviceOptions(hosts=("a:1", "b:1")), "--host-index: expected the position .*0 to 1"),
        (
            DeviceOptions(hosts=("a:1", "b:1"), host_index=2),
            "--host-index 2: expected the position .*0 to 1",
        ),
        (DeviceOptions(host_index=0), "--host-index needs --hosts"),
    ],
)
def test_options_that_cannot_be_are_refused(
    options: DeviceOptions, message: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(keras.backend, "backend", lambda: "jax")
    with pytest.raises(UserError, match=message):
        use_devices(options, [])
