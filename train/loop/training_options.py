"""The options of the training commands, and the run that they describe."""

import dataclasses
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

import tyro

from pocket_bokeh.errors import UserError
from pocket_bokeh.photo import FourthChannel
from train.data.data_folders import resolved_data
from train.loop.devices import DeviceOptions, is_first_host, on_first_host, use_devices
from train.loop.losses import make_loss
from train.loop.run_folder import Run, check_same_run, create_run, read_run
from train.network.presets import (
    LEVEL_1_LOSSES,
    NETWORKS,
    SCHEDULES,
    PrecisionChoice,
    PyNETConfig,
    TrainConfig,
    choose,
)

Flag = Annotated[bool, tyro.conf.FlagCreatePairsOff]
"""A flag without a `--no-` form."""

Folders = Annotated[
    tuple[str, ...], tyro.conf.arg(metavar="FOLDER[:WEIGHT][:focus] [FOLDER[:WEIGHT][:focus] ...]")
]
"""Folders of pairs on a command line (`train.data.data_folders`)."""

ONE_DEVICE = DeviceOptions()


@dataclass(frozen=True)
class TrainingOptions:
    """The options that all training commands have."""

    data: Folders = ()
    """Folders in the EBB! layout: original/NAME.jpg and bokeh/NAME.jpg, or train/ and val/ with
    these. WEIGHT says how often a folder's pairs are drawn, relative to the others'; focus marks
    photographs focused elsewhere than automatically. Default: the built-in pairs."""
    out: Path = Path("runs/training")
    """The run folder to create."""
    preset: str = "pocket"
    """The network: reference (as published), report (a Keras re-implementation), mobile (for
    phones) or pocket (mobile without normalization, the model that ships). Runs that an older
    version started without this option are resumed with --preset mobile."""
    schedule: str = "quick"
    """Steps, batches and crops: quick (two minutes on two cores), fine_tune (three quarters of an
    hour, with --start-from), hundreds (an hour and a half, for hundreds of pairs), release (hours,
    for thousands of pairs with masks), standard (a night), published (days on a GPU) or smoke
    (seconds, to check a folder)."""
    steps: int | None = None
    """Steps of every level, instead of the schedule's."""
    batch: int | None = None
    """Crops per step of every level, instead of the schedule's; several devices share them."""
    limit: int | None = None
    """The most training pairs to use. The pairs of a smaller limit are among those of a larger one.
    Default: all."""
    depth: Flag = False
    """Train a network that takes a depth map too, from original_depth/NAME.png; the same as
    --fourth-channel depth."""
    fourth_channel: FourthChannel | None = None
    """What the network sees beside the colours: none, a depth map, or a focus map, with which it
    can be told what to keep sharp. Default: focus for pocket, none for the others."""
    level_1_loss: Literal["l1", "l1_l2", "l1_ssim", "l1_l2_ssim", "l1_ssim_vgg"] | None = None
    """The loss of level 1. Default: l1_ssim_vgg for reference, as published; l1_ssim for the
    others. The other levels use the schedule's loss."""
    vgg_weights: Path | None = None
    """VGG-19's weights as Keras publishes them
    (vgg19_weights_tf_dim_ordering_tf_kernels_notop.h5), for l1_ssim_vgg."""
    start_from: Path | None = None
    """Start from the weights of a bundle with a float32 model, such as models/pocket, or of a run's
    model.keras, instead of random ones. Goes with --schedule fine_tune."""
    precision: PrecisionChoice = "auto"
    """The data type to compute in. auto measures at the start of each level whether bfloat16 is
    faster than float32, where the processor has instructions for it. mixed_float16 is for GPUs."""
    seed: int = 0
    """The seed of the initial weights, the order of the pairs and the crops."""
    resume: Flag = False
    """Continue the run in --out exactly where it stopped."""
    accept_data_changes: Flag = False
    """With --resume: continue although data files were changed, removed or added."""
    machines: Annotated[DeviceOptions, tyro.conf.OmitArgPrefixes] = ONE_DEVICE


def open_run(options: TrainingOptions) -> Run:
    """Creates the run that the options describe, or finds it with --resume; checks it first.

    Raises:
        UserError: an unknown name, a number out of range, broken pairs, a missing file, a folder
            that already exists, or a run to resume that was started with other settings.
    """
    run = run_from_options(options)
    use_devices(options.machines, run.train.schedules)
    return make_run(run, options)


def run_from_options(options: TrainingOptions) -> Run:
    """The run that the options describe; reads and writes no files.

    Raises:
        UserError: an unknown name or a number out of range.
    """
    for name in ("steps", "batch", "limit"):
        value = getattr(options, name)
        if value is not None and value < 1:
            raise UserError(f"--{name} {value}: expected 1 or more")
    if options.seed < 0:
        raise UserError(f"--seed {options.seed}: expected 0 or more")
    return Run(
        folder=options.out,
        preset=options.preset,
        network=network_of(options.preset, options.depth, options.fourth_channel),
        train=schedule_of(options),
        data=resolved_data(options.data),
        seed=options.seed,
        limit=options.limit,
        precision=options.precision,
        vgg_weights=str(options.vgg_weights.resolve()) if options.vgg_weights else None,
        start_from=str(options.start_from.resolve()) if options.start_from else None,
    )


def make_run(run: Run, options: TrainingOptions) -> Run:
    """Checks that a run can be trained, then creates its folder, or with --resume checks that.

    Returns:
        The run. A resumed one with --precision auto has the precision that it was started with.

    Raises:
        UserError: as `open_run`.
    """
    run.pairs("val")
    for schedule in run.train.schedules:
        make_loss(schedule.loss, options.vgg_weights)
    if not options.resume:
        on_first_host(lambda: create_run(run, dataclasses.asdict(options)))
    if options.resume or not is_first_host():
        if run.precision == "auto":
            run = dataclasses.replace(run, precision=read_run(run.folder).precision)
        check_same_run(run, options.accept_data_changes)
    return run


def network_of(
    preset: str, depth: bool, fourth_channel: FourthChannel | None = None
) -> PyNETConfig:
    """The preset's network, with the fourth channel that the options ask for.

    Args:
        preset: its name.
        depth: whether --depth is given.
        fourth_channel: the value of --fourth-channel, if it is given.

    Raises:
        UserError: there is no such preset, or two fourth channels are asked for.
    """
    network = choose("preset", preset, NETWORKS)
    if depth and fourth_channel not in (None, "depth"):
        raise UserError(
            f"--depth and --fourth-channel {fourth_channel}: a network has one fourth channel; "
            "leave one of them out"
        )
    channel = "depth" if depth else fourth_channel
    if channel is None:
        # The reference is published with depth maps, but few data sets have them.
        channel = "none" if network.sees_depth else network.fourth_channel
    return dataclasses.replace(network, fourth_channel=channel)


def schedule_of(options: TrainingOptions) -> TrainConfig:
    """The schedule, with the level-1 loss, steps and batch of the options."""
    config = choose("schedule", options.schedule, SCHEDULES)
    level_1_loss = options.level_1_loss or LEVEL_1_LOSSES[options.preset]
    schedules = tuple(
        dataclasses.replace(
            schedule,
            steps=options.steps or schedule.steps,
            batch=options.batch or schedule.batch,
            loss=level_1_loss if schedule.level == 1 else schedule.loss,
        )
        for schedule in config.schedules
    )
    return dataclasses.replace(config, schedules=schedules)
