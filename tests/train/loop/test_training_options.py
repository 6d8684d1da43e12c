"""Training options and the runs that they describe."""

import dataclasses
from pathlib import Path
from typing import Any

import pytest

from pocket_bokeh.errors import UserError
from train.joint import joint_run, steps_of_same_work
from train.loop.training_options import TrainingOptions, make_run, open_run, run_from_options
from train.network.presets import NETWORKS, SCHEDULES


def losses(**flags: Any) -> list[str]:
    return [
        schedule.loss for schedule in run_from_options(TrainingOptions(**flags)).train.schedules
    ]


def test_the_preset_chooses_what_level_1_is_trained_on() -> None:
    assert losses(preset="reference", schedule="published") == ["l1"] * 6 + ["l1_ssim_vgg"]
    assert losses(preset="report", schedule="published") == ["l1"] * 6 + ["l1_ssim"]
    assert losses(preset="reference", level_1_loss="l1_ssim")[-1] == "l1_ssim"


def test_flags_reach_the_run() -> None:
    run = run_from_options(
        TrainingOptions(depth=True, steps=7, batch=6, limit=9, precision="mixed_float16")
    )
    assert run.network == dataclasses.replace(NETWORKS["pocket"], fourth_channel="depth")
    assert {schedule.steps for schedule in run.train.schedules} == {7}
    assert {schedule.batch for schedule in run.train.schedules} == {6}
    assert (run.limit, run.precision) == (9, "mixed_float16")


@pytest.mark.parametrize(
    ("flags", "channel"),
    [
        ({"preset": "reference"}, "none"),
        ({"preset": "mobile"}, "none"),
        ({"preset": "pocket"}, "focus"),
        ({"preset": "reference", "depth": True}, "depth"),
        ({"preset": "pocket", "depth": True}, "depth"),
        ({"preset": "pocket", "fourth_channel": "none"}, "none"),
        ({"preset": "mobile", "fourth_channel": "focus"}, "focus"),
    ],
)
def test_pocket_sees_a_focus_map_and_the_others_what_they_are_told(
    flags: dict[str, Any], channel: str
) -> None:
    assert run_from_options(TrainingOptions(**flags)).network.fourth_channel == channel


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        (
            {"depth": True, "fourth_channel": "focus"},
            "--depth and --fourth-channel focus: a network has one fourth channel",
        ),
        ({"preset": "huge"}, "unknown preset 'huge': expected one of reference, report, mobile"),
        ({"schedule": "never"}, "unknown schedule 'never'"),
        ({"steps": 0}, "--steps 0: expected 1 or more"),
        ({"batch": 0}, "--batch 0: expected 1 or more"),
        ({"limit": -1}, "--limit -1"),
        ({"seed": -1}, "--seed -1"),
        ({"data": ("nowhere",)}, "no such folder"),
        ({"preset": "reference"}, "--vgg-weights"),
    ],
)
def test_what_can_not_be_trained_is_said_and_nothing_is_made(
    tmp_path: Path, flags: dict[str, Any], message: str
) -> None:
    with pytest.raises(UserError, match=message):
        open_run(TrainingOptions(out=tmp_path / "run", **flags))
    assert not (tmp_path / "run").exists()


def test_depth_needs_depth_maps(pairs_folder: Path, tmp_path: Path) -> None:
    options = TrainingOptions(data=(str(pairs_folder),), out=tmp_path / "run", depth=True)
    with pytest.raises(UserError, match=r"original_depth/ has no map for 0 .* without depth"):
        open_run(options)


def test_joint_training_takes_the_same_arithmetic(tmp_path: Path) -> None:
    options = TrainingOptions(out=tmp_path / "run", preset="mobile")
    sequential = run_from_options(options)
    run = make_run(joint_run(sequential), options)
    (schedule,) = run.train.schedules
    assert schedule.level == 1
    assert schedule.loss == "l1_ssim"
    quick = SCHEDULES["quick"]
    only_level_1 = dataclasses.replace(quick, schedules=quick.schedules[-1:])
    # Levels 2 and 1 alone are 300 of these steps; the others are worth more than none.
    assert 375 < schedule.steps < 1250
    assert steps_of_same_work(NETWORKS["mobile"], only_level_1) == quick.schedules[-1].steps
    assert joint_run(sequential, steps=3).train.schedules[0].steps == 3
