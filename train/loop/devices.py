"""Data-parallel training on several devices and several machines (hosts), with Keras on JAX.

Every device holds the whole network and takes an equal part of each batch. Gradients, losses and
batch statistics are those of the whole batch (`keras.distribution.DataParallel`). Every host must
run the same command and reach the same lines in the same order, because any operation on the
network involves all hosts. Only the first host writes the run folder; all of them read it.
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
"""Words in JAX's errors when another host is gone."""


@dataclass(frozen=True)
class DeviceOptions:
    """The options of a training about devices and hosts."""

    devices: int | None = None
    """How many devices of each machine to train on; needs KERAS_BACKEND=jax. Default: one, or all
    of them with --hosts."""
    hosts: tuple[str, ...] = ()
    """The machines to train on, each as name:port, the same list on all of them. Start the command
    on every machine. --out must be a folder that they share; the first machine writes it."""
    host_index: int | None = None
    """The position of this machine in --hosts, counted from 0."""


def use_devices(options: DeviceOptions, schedules: Sequence[LevelSchedule]) -> None:
    """Distributes every network built from now on over the devices; without options, does nothing.

    Must be called before anything is computed. With several hosts it waits for all of them.

    Args:
        options: the devices and hosts.
        schedules: the levels to train, whose batches the devices share.

    Raises:
        UserError: the backend is not JAX, options contradict one another, a host is missing, there
            are too few devices, or a batch cannot be divided among them.
    """
    _check(options)
    if options.devices is None and not options.hosts:
        return
    if options.hosts:
        assert options.host_index is not None  # checked above
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
    """The number of hosts in this training; 1 without `--hosts`."""
    distribution = keras.distribution.distribution()
    return distribution.num_processes if distribution else 1


def host_index() -> int:
    """The position of this host, counted from 0."""
    distribution = keras.distribution.distribution()
    return distribution.data_shard_id if distribution else 0


def is_first_host() -> bool:
    """Whether this host writes the run folder; always true with one host."""
    return host_index() == 0


@contextmanager
def without_distribution() -> Iterator[None]:
    """Lets one host use Keras while the other hosts do something else.

    With a distribution, every variable that Keras creates waits for the other hosts, and saving
    weights creates some.
    """
    distribution = keras.distribution.distribution()
    keras.distribution.set_distribution(None)
    try:
        yield
    finally:
        keras.distribution.set_distribution(distribution)


def on_first_host(write: Callable[[], object]) -> None:
    """Calls a function on the first host only; the other hosts wait until it returns.

    Raises:
        UserError: on the other hosts, if the call failed. The first host raises the error itself.
    """
    failure: Exception | None = None
    if is_first_host():
        try:
            with without_distribution():
                write()
        except Exception as error:  # of any kind: the other hosts wait and must be told
            failure = error
    failed = any(_gather(failure is not None))
    if failure:
        raise failure
    if failed:
        raise UserError("the first host stopped; its own message says why")


def check_hosts_agree(what: str, value: int) -> None:
    """Checks that all hosts have read the same number from the run folder.

    Raises:
        UserError: they have not, so they do not share the folder.
    """
    values = _gather(value)
    if len(set(values)) > 1:
        found = ", ".join(str(each) for each in values)
        raise UserError(
            f"the hosts disagree on {what}: {found}; --out must be one folder that they all share"
        )


def run_on_hosts(main: Callable[[], None]) -> None:
    """`run_command` for a training: a failure on one host ends the training on all of them.

    A process that exits normally waits five minutes for the other hosts, while they wait for its
    part of the next batch. So after a failure this one exits at once, and the others see the
    connection break.
    """
    try:
        run_command(lambda: _explain_lost_host(main))
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
        raise UserError(f"--hosts {' '.join(options.hosts)}: an address is listed twice")
    if options.hosts and options.host_index not in range(len(options.hosts)):
        found = "" if options.host_index is None else f" {options.host_index}"
        raise UserError(
            f"--host-index{found}: expected the position of this machine in --hosts, "
            f"0 to {len(options.hosts) - 1}"
        )
    if options.host_index is not None and not options.hosts:
        raise UserError("--host-index needs --hosts, the list of machines")


def _chosen_devices(options: DeviceOptions) -> list[str]:
    """The devices to use, host by host and equally many of each, by Keras's names (`gpu:0`)."""
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
        raise UserError(f"--devices {wanted}: {where} has only {len(there)} ({', '.join(there)})")
    return [name for host in sorted(by_host) for name in by_host[host][:wanted]]


def _check_batches(schedules: Sequence[LevelSchedule], devices: int) -> None:
    for schedule in schedules:
        if schedule.batch % devices:
            raise UserError(
                f"level {schedule.level}: its batch of {schedule.batch} crops cannot be divided "
                f"among {devices} devices; use fewer devices, or a --batch that is a multiple of "
                f"{devices}"
            )


def _gather(value: int) -> list[int]:
    """One number from every host, in order; waits until all hosts have called this."""
    if host_count() == 1:
        return [value]
    # Keras has no function for this. There are several hosts only on JAX.
    from jax.experimental import multihost_utils

    return [int(each) for each in multihost_utils.process_allgather(np.int32(value))]


def _explain_lost_host(main: Callable[[], None]) -> None:
    """Calls a function and turns JAX's error about a lost host into a `UserError`."""
    try:
        main()
    except (RuntimeError, ValueError) as error:
        if host_count() == 1 or not any(word in str(error) for word in _LOST_HOST):
            raise
        raise UserError(
            "another host was lost; continue from the last checkpoint with the same commands and "
            "--resume on every host"
        ) from error
