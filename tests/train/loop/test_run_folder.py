"""Run folders: what is recorded, and when resuming is refused."""

import dataclasses
import json
import re
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from pocket_bokeh.errors import UserError
from pocket_bokeh.photo import read_photo, write_photo
from tests.conftest import NARROW_POCKET
from train.data.named_pairs import open_pairs
from train.loop.run_folder import (
    Run,
    check_same_run,
    create_run,
    finished_network,
    lock_run,
    read_run,
)
from train.network.network_file import read_network, write_network
from train.network.presets import NETWORKS, SCHEDULES

MakeRun = Callable[..., Run]


def test_a_run_reads_itself(tiny_run: MakeRun) -> None:
    run = dataclasses.replace(tiny_run(), limit=5, precision="mixed_bfloat16")
    create_run(run, {"steps": 12, "out": run.folder})
    assert read_run(run.folder) == run
    config = json.loads((run.folder / "config.json").read_text())
    assert config["options"] == {"steps": 12, "out": str(run.folder)}
    assert {"keras", "backend"} <= config["packages"].keys()
    assert len(run.pairs("train")) == 5


def test_a_run_is_not_overwritten(tiny_run: MakeRun, tmp_path: Path) -> None:
    run = tiny_run()
    create_run(run)
    with pytest.raises(UserError, match="--resume"):
        create_run(run)
    (tmp_path / "other").mkdir()
    with pytest.raises(UserError, match="exists but is not a run"):
        create_run(tiny_run("other"))
    with pytest.raises(UserError, match="not a run folder"):
        read_run(tmp_path)


def test_another_configuration_is_refused_by_its_fields(tiny_run: MakeRun) -> None:
    run = tiny_run()
    create_run(run)
    check_same_run(run)
    with pytest.raises(UserError, match=r"level_6.steps \(was 12, asked for 13\), train.schedules"):
        check_same_run(tiny_run(steps=13))
    with pytest.raises(UserError, match=r"other settings: seed \(was 0, asked for 1\);"):
        check_same_run(dataclasses.replace(run, seed=1))


def test_a_run_of_an_older_version_has_the_defaults_of_what_it_does_not_name(
    tiny_run: MakeRun,
) -> None:
    run = tiny_run()
    create_run(run)
    file = run.folder / "config.json"
    config = json.loads(file.read_text())
    del config["train"]["largest_zoom"]
    config["train"]["detail_transfer"] = False
    for schedule in config["train"]["schedules"]:
        schedule["optimizer"] = "adam"
    (config["data"],) = config["data"]  # one folder, as a string
    file.write_text(json.dumps(config))
    check_same_run(run)
    other = dataclasses.replace(run.train, largest_zoom=1.2)
    with pytest.raises(UserError, match=r"largest_zoom \(was 1.0, asked for 1.2\)"):
        check_same_run(dataclasses.replace(run, train=other))


def test_a_run_of_an_older_version_has_its_fourth_channel_by_number(tiny_run: MakeRun) -> None:
    run = tiny_run()
    create_run(run)
    file = run.folder / "config.json"
    for channels, name in ((3, "none"), (4, "depth")):
        config = json.loads(file.read_text())
        config["network"].pop("fourth_channel", None)
        config["network"]["input_channels"] = channels
        file.write_text(json.dumps(config))
        assert read_run(run.folder).network.fourth_channel == name


def test_a_run_with_an_optimizer_that_is_gone_is_refused(tiny_run: MakeRun) -> None:
    run = tiny_run()
    create_run(run)
    file = run.folder / "config.json"
    config = json.loads(file.read_text())
    config["train"]["schedules"][0]["optimizer"] = "muon"
    file.write_text(json.dumps(config))
    with pytest.raises(
        UserError, match=r"config.json: .*optimizer = 'muon' is unknown to this version"
    ):
        check_same_run(run)


def change_the_data(folder: Path) -> None:
    """Repairs a file, loses a pair and gets another one; then another process starts."""
    write_photo(folder / "bokeh/3.png", 255 - read_photo(folder / "bokeh/3.png"))
    for kind in ("original", "bokeh"):
        shutil.copy(folder / kind / "1.png", folder / kind / "more.png")
        (folder / kind / "4.png").unlink()
    open_pairs.cache_clear()


def test_changed_data_is_named_and_accepted_when_told_to(
    tiny_run: MakeRun, pairs_folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run = tiny_run()
    create_run(run)
    check_same_run(run)
    change_the_data(pairs_folder)
    found = (
        r"1 changed: bokeh/3.png \(\w+\); 2 removed: original/4.png \(\w+\), bokeh/4.png \(\w+\); "
        r"2 added: original/more.png \(\w+\), bokeh/more.png \(\w+\)"
    )
    with pytest.raises(
        UserError, match=rf"changed since the run started \({found}\); .* --accept-data-"
    ):
        check_same_run(run)
    check_same_run(run, accept_data_changes=True)
    assert re.search(rf"continues with changed data \({found}\)", capsys.readouterr().err)
    # What was accepted is the run's data from now on, and stays on record.
    check_same_run(run)
    (accepted,) = json.loads((run.folder / "data_files.json").read_text())["accepted"]
    assert {kind: len(names) for kind, names in accepted.items()} == {
        "changed": 1,
        "removed": 2,
        "added": 2,
    }


def test_a_run_of_an_older_version_goes_on_with_its_data_alone(
    tiny_run: MakeRun, pairs_folder: Path
) -> None:
    run = tiny_run()
    create_run(run)
    (run.folder / "data_files.json").unlink()
    check_same_run(run)
    assert (run.folder / "data_files.json").is_file()
    (run.folder / "data_files.json").unlink()
    change_the_data(pairs_folder)
    with pytest.raises(
        UserError, match=r"the run did not record which\); .* --accept-data-changes"
    ):
        check_same_run(run)
    check_same_run(run, accept_data_changes=True)
    check_same_run(run)


def test_a_run_with_damaged_photos_is_not_made(tiny_run: MakeRun, pairs_folder: Path) -> None:
    run = tiny_run()
    for file in (pairs_folder / "original/3.png", pairs_folder / "bokeh/7.png"):
        file.write_bytes(file.read_bytes()[:200])
    with pytest.raises(UserError, match=r"2 of 24 files cannot be used: .*; replace or remove"):
        create_run(run)
    assert not run.folder.exists()
    assert not list(run.folder.parent.glob(".run*"))


def test_a_run_keeps_the_network_that_it_started_from(
    tiny_run: MakeRun, focus_file: Path, tmp_path: Path
) -> None:
    source = tmp_path / "source.keras"
    shutil.copy(focus_file, source)
    told = dataclasses.replace(tiny_run("told"), network=NARROW_POCKET, start_from=str(source))
    create_run(told)
    source.unlink()
    assert read_network(told.start_file).config == NARROW_POCKET
    check_same_run(told)
    with pytest.raises(UserError, match=r"start_from \(was .*source.keras, asked for None\)"):
        check_same_run(dataclasses.replace(told, start_from=None))


@pytest.mark.parametrize(
    ("preset", "schedule", "trains_gate"),
    [("pocket", "release", True), ("pocket", "quick", False), ("mobile", "release", False)],
)
def test_a_finished_network_says_whether_its_gate_tells_what_is_in_focus(
    tiny_run: MakeRun, focus_file: Path, preset: str, schedule: str, trains_gate: bool
) -> None:
    made = tiny_run()
    run = dataclasses.replace(made, network=NETWORKS[preset], train=SCHEDULES[schedule])
    run.folder.mkdir()
    network = read_network(focus_file)
    # As older versions wrote it, without a word about the gate.
    write_network(run.model_file, network.model, preset, network.config, level=1)
    assert finished_network(run).gate_is_trained == trains_gate


def test_a_run_does_not_start_from_another_network(tiny_run: MakeRun, focus_file: Path) -> None:
    run = dataclasses.replace(tiny_run(), start_from=str(focus_file))
    with pytest.raises(UserError, match="of preset pocket with fourth channel focus, but the tra"):
        create_run(run)
    assert not run.folder.exists()


def test_two_processes_do_not_train_one_run(tiny_run: MakeRun) -> None:
    run = tiny_run()
    create_run(run)
    another = pytest.raises(UserError, match="another process is training this run")
    with lock_run(run), another, lock_run(run):
        pass
    with lock_run(run):
        pass
