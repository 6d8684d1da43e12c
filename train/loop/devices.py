"""Training on several devices of one machine, and on several machines (hosts), with Keras on JAX.

Every device holds the whole network and takes an equal part of each batch; gradients, losses and
batch statistics are those of the whole batch (`keras.distribution.DataParallel`). Every host runs
the same command and reaches the same lines in the same order, because what touches the network is
a computation of them all; the first host alone writes the run folder, which all of them read.
"""

import os
import sys
import traceback
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import keras
import numpy as np

from pocket_bokeh.errors import UserError, run_command
from train.loop.host_meeting import wait_for_hosts
from train.network.presets import LevelSchedule

_LOST_HOST = ("Gloo", "NCCL", "UNAVAILABLE", "heartbeat")
"""What JAX's errors speak of when another host is gone."""


@dataclass(frozen=True)
class DeviceOptions:
    """What a training's command line takes about devices and hosts."""

    devices: int | None = None
    """Devices of each machine to train on; needs KERAS_BACKEND=jax. Left out: one, or with --hosts
    all that the machines have."""
    hosts: tuple[str, ...] = ()
    """The machines of the training, each as name:port, the same list on all of them. Start the
    command on every one; --out is a folder that they share. The first writes it."""
    host_index: int | None = None
    """Which of --hosts this machine is, counted from 0."""


def use_devices(options: DeviceOptions, schedules: Sequence[LevelSchedule]) -> None:
    """Spreads every network built from now on over the devices; with no options, does nothing.

    Called before anything is computed. With several hosts it returns when all have met.

    Args:
        options: which devices and hosts.
        schedules: the levels to be trained, whose batches the devices divide.

    Raises:
        UserError: another backend than JAX, options that contradict one another, a host that does
            not come, too few devices, or a batch that they cannot divide.
    """
    _check(options)
    if options.devices is None and not options.hosts:
        return
    if options.hosts:
        assert options.host_index is not None  # _check has seen to it
        wait_for_hosts(options.hosts, options.host_index)
        keras.distribution.initialize(
            ",".join(options.hosts), len(options.hosts), options.host_index
        )
    devices = _chosen_devices(options)
    _check_batches(schedules, len(devices))
    keras.distribution.set_distribution(
        keras.distribution.DataParallel(devices=devices, auto_shard_dataset=False)
    )


def host_count() -> int:
    """How many hosts train together; 1 where `use_devices` was not asked for several."""
    distribution = keras.distribution.distribution()
    return distribution.num_processes if distribution else 1


def host_index() -> int:
    """Which of them this one is, counted from 0."""
    distribution = keras.distribution.distribution()
    return distribution.data_shard_id if distribution else 0


def is_first_host() -> bool:
    """Whether this host writes the run folder. On one host, always."""
    return host_index() == 0


@contextmanager
def alone() -> Iterator[None]:
    """For what one host does while the others do something else, or nothing.

    Otherwise every variable that Keras makes, and it makes some to save weights, is compared with
    the other hosts' and waits for them.
    """
    distribution = keras.distribution.distribution()
    keras.distribution.set_distribution(None)
    try:
        yield
    finally:
        keras.distribution.set_distribution(distribution)


def on_first_host(write: Callable[[], object]) -> None:
    """Calls what writes on the first host alone; all hosts go on when it is done.

    Raises:
        UserError: on the other hosts, when the first one's call failed; there, what it raised.
    """
    failure: Exception | None = None
    if is_first_host():
        try:
            with alone():
                write()
        except Exception as error:  # whatever it is: the others wait, and must hear of it
            failure = error
    failed = any(_gathered(failure is not None))
    if failure:
        raise failure
    if failed:
        raise UserError("the first host stopped; its own message says why")


def check_hosts_agree(what: str, value: int) -> None:
    """Makes sure that all hosts have read the same number from the run folder.

    Raises:
        UserError: they have not, so they do not share the folder.
    """
    values = _gathered(value)
    if len(set(values)) > 1:
        found = ", ".join(str(each) for each in values)
        raise UserError(
            f"the hosts disagree on {what}: {found}; --out must be one folder that all of them see"
        )


def run_on_hosts(main: Callable[[], None]) -> None:
    """`run_command` for a training: where it fails on one of several hosts, it ends on all.

    A process that leaves in the usual way waits for the others at exit, for five minutes, while
    they wait for its part of the next batch. This one leaves at once, and they see the connection
    break.
    """
    try:
        run_command(lambda: _naming_lost_hosts(main))
    except BaseException as error:
        if host_count() == 1:
            raise
        if not isinstance(error, SystemExit):
            traceback.print_exc()
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(error.code if isinstance(error, SystemExit) and isinstance(error.code, int) else 1)


def _check(options: DeviceOptions) -> None:
    flag = "--hosts" if options.hosts else "--devices"
    if (options.devices or options.hosts) and keras.backend.backend() != "jax":
        raise UserError(
            f"{flag} needs Keras on JAX, and this is {keras.backend.backend()}: "
            "set KERAS_BACKEND=jax"
        )
    if options.devices is not None and options.devices < 1:
        raise UserError(f"--devices {options.devices}: expected 1 or more")
    for host in options.hosts:
        name, _, port = host.rpartition(":")
        if not name or not port.isdecimal() or not 0 < int(port) < 65536:
            raise UserError(f"--hosts {host}: expected name:port, as in gpu-1:12345")
    if len(set(options.hosts)) < len(options.hosts):
        raise UserError(f"--hosts {' '.join(options.hosts)}: an address stands there twice")
    if options.hosts and options.host_index not in range(len(options.hosts)):
        found = "" if options.host_index is None else f" {options.host_index}"
        raise UserError(
            f"--host-index{found}: say which of --hosts this machine is, "
            f"0 to {len(options.hosts) - 1}"
        )
    if options.host_index is not None and not options.hosts:
        raise UserError("--host-index: name the machines with --hosts")


def _chosen_devices(options: DeviceOptions) -> list[str]:
    """As many devices of every host, host by host, as Keras calls them (`gpu:0`)."""
    names = keras.distribution.list_devices()
    mesh = keras.distribution.DeviceMesh((len(names),), ["batch"], names)
    by_host: dict[int, list[str]] = {}
    for name, device in zip(names, mesh.backend_mesh.devices, strict=True):
        by_host.setdefault(device.process_index, []).append(name)
    fewest = min(by_host, key=lambda host: len(by_host[host]))
    there = by_host[fewest]
    if options.devices is None and any(len(found) > len(there) for found in by_host.values()):
        raise UserError(
            f"host {fewest} has {len(there)} devices, others have more; give --devices {len(there)}"
        )
    wanted = options.devices or len(there)
    if len(there) < wanted:
        where = f"host {fewest} ({options.hosts[fewest]})" if options.hosts else "this machine"
        raise UserError(
            f"--devices {wanted}: {where} has {len(there)} ({', '.join(there)}); ask for no more"
        )
    return [name for host in sorted(by_host) for name in by_host[host][:wanted]]


def _check_batches(schedules: Sequence[LevelSchedule], devices: int) -> None:
    for schedule in schedules:
        if schedule.batch % devices:
            raise UserError(
                f"level {schedule.level}: its batch of {schedule.batch} crops cannot be divided "
                f"among {devices} devices; use fewer, or give a --batch that is a multiple of "
                f"{devices}"
            )


def _gathered(value: int) -> list[int]:
    """One number of every host, in their order; returns when all have called it."""
    if host_count() == 1:
        return [value]
    # Keras has nothing of the kind; several hosts are there on JAX alone.
    from jax.experimental import multihost_utils

    return [int(each) for each in multihost_utils.process_allgather(np.int32(value))]


def _naming_lost_hosts(main: Callable[[], None]) -> None:
    try:
        main()
    except (RuntimeError, ValueError) as error:
        if host_count() == 1 or not any(word in str(error) for word in _LOST_HOST):
            raise
        raise UserError(
            "another host was lost; go on from the last checkpoint with the same commands and "
            "--resume on every host"
        ) from error
