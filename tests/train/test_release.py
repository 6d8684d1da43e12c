"""A release: from the data to the bundle, its figures and its card."""

import dataclasses
import importlib
import json
import shutil
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter

from pocket_bokeh.bundle import read_bundle
from pocket_bokeh.errors import UserError
from pocket_bokeh.photo import write_photo
from tests.conftest import FEWER_LAYERS
from train import release
from train.data.named_pairs import open_pairs
from train.data.pairs import FolderPairs, find_whole_folder
from train.judge.candidates import open_candidates
from train.judge.evaluation import Evaluation, mean_scores
from train.judge.model_card import CARD, FIGURES
from train.loop.run_folder import Run, read_run
from train.network.presets import NETWORKS, SCHEDULES
from train.release import (
    JUDGED_BY,
    ReleaseOptions,
    check_data,
    training_data,
    write_figures,
)
from train.sequential import read_metrics


@pytest.fixture
def options(tmp_path: Path) -> ReleaseOptions:
    """All folders of the data with a pair or two each, one subject, one background."""
    random = np.random.default_rng(0)
    folders = [*release.TRAINED_ON, *release.FOCUSED_ELSEWHERE, release.JUDGED_BY]
    folders += release.REPORTED_ON
    for name in folders:
        for kind in ("original", "bokeh"):
            folder = tmp_path / "data" / name / kind
            folder.mkdir(parents=True, exist_ok=True)
            for number in range(2):
                picture = random.integers(0, 256, (96, 128, 3), np.uint8)
                write_photo(folder / f"{number}.png", picture)
    rows, columns = np.mgrid[:96, :128]
    mask = gaussian_filter((np.hypot(rows - 48, columns - 64) < 30).astype(float), 1)
    for split in ("train", "val", "test"):
        for kind, picture in (("original", random.random((96, 128, 3))), ("subject", mask)):
            file = tmp_path / "data/subjects" / split / kind / "0.png"
            file.parent.mkdir(parents=True)
            write_photo(file, np.rint(255 * picture).astype(np.uint8))
    (tmp_path / "data/subjects/index.tsv").write_text("name\tkind\n0\tanimal\n")
    behind = tmp_path / "data/subjects/backgrounds/0.png"
    behind.parent.mkdir()
    write_photo(behind, random.integers(0, 256, (96, 128, 3), np.uint8))
    return ReleaseOptions(
        data=tmp_path / "data",
        out=tmp_path / "out",
        bundle=tmp_path / "models/pocket",
    )


@pytest.fixture
def tiny_pocket(monkeypatch: pytest.MonkeyPatch) -> None:
    """A network that is compiled in a fraction of the time."""
    pocket = NETWORKS["pocket"]
    tiny = dataclasses.replace(pocket, width=1 / 16, **FEWER_LAYERS)
    monkeypatch.setitem(NETWORKS, "pocket", tiny)


def test_pairs_come_from_every_set(options: ReleaseOptions) -> None:
    for made in ("rendered/train", "rendered/val", "composites", "several"):
        shutil.copytree(options.data / "real_pairs/test", options.out / made)
    data = training_data(options)
    train, val = (open_pairs(data, split) for split in ("train", "val"))
    assert isinstance(train, FolderPairs)
    assert isinstance(val, FolderPairs)
    weights = {str(files.original.parents[1]): files.weight for files in train.files}
    expected = release.TRAINED_ON | release.FOCUSED_ELSEWHERE
    given = {str(options.data / name): weight for name, weight in expected.items()}
    rendered = {str(options.out / name): 1 for name in ("rendered/train", "composites")}
    several = {str(options.out / "several"): release.SEVERAL_WEIGHT}
    assert weights == given | rendered | several
    elsewhere = {files.original.parents[1].name for files in train.files if files.needs_focus}
    assert elsewhere == {"far", "several"}
    validated = {files.original.parents[1] for files in val.files}
    assert validated == {options.data / JUDGED_BY, options.out / "rendered/val"}


def test_other_data_than_the_release_was_made_of_is_said(
    options: ReleaseOptions, capsys: pytest.CaptureFixture[str]
) -> None:
    found = check_data(options.data)
    assert set(found) == {*release.TRAINED_ON, *release.FOCUSED_ELSEWHERE, *release.REPORTED_ON}
    assert "bokeh_pairs/val: not the pairs that models/pocket was made from" in (
        capsys.readouterr().err
    )
    (options.data / "ebb_real/test/bokeh/1.png").unlink()
    with pytest.raises(UserError, match=r"ebb_real/test: original/1 has no partner"):
        check_data(options.data)


def test_figures_lie_beside_the_models(options: ReleaseOptions) -> None:
    folder, schedule = options.out / "pocket", SCHEDULES["release"]
    run = Run(folder, "pocket", NETWORKS["pocket"], schedule, ("pairs",), 0)
    run.folder.mkdir(parents=True)
    (run.folder / "metrics.json").write_text('{"1": {}}')
    rows = {"untouched": {"psnr": 24.5}, "int8_qat": {"psnr": 27.25}}
    figures = {"bokeh_pairs/val": {"pairs": 2, "means": rows}}
    release.made_bundle(options).mkdir(parents=True)
    separation = {"subjects/test": {"photographs": 2, "means": {}}}
    judged = {"figures": figures, "separation": separation}
    write_figures(options, run, {"bokeh_pairs/val": "abc"}, judged)
    stored = json.loads((release.made_bundle(options) / FIGURES).read_text())
    assert stored["figures"] == figures
    assert stored["separation"] == separation
    assert stored["fingerprints"] == {"bokeh_pairs/val": "abc"}
    assert stored["subjects"] == 1
    assert stored["levels"] == {"1": {}}
    assert [level["level"] for level in stored["schedule"]["schedules"]] == [7, 6, 5, 4, 3, 2, 1]


def command(monkeypatch: pytest.MonkeyPatch, options: ReleaseOptions, *more: str) -> None:
    """Runs the command as from a shell."""
    given = ("--data", options.data, "--out", options.out, "--bundle", options.bundle)
    short = ("--schedule", "smoke", "--fine-tune-steps", "0")
    few = ("--rendered", "2", "--scenes", "1", "--composites", "2", "--several", "1")
    monkeypatch.setattr("sys.argv", ["release", *map(str, given), *short, *few, *more])
    release.main()


def old_bundle(folder: Path) -> dict[str, bytes]:
    """A bundle that is not to be lost: what the release reads of it, and a picture of people's."""
    folder.mkdir(parents=True)
    model = {"file": "old.tflite", "sha256": "0" * 64}
    described = {"models": [model], "golden": [], "records": {}}
    (folder / "bundle.json").write_text(json.dumps(described))
    (folder / "old.tflite").write_bytes(b"old")
    (folder / "face.jpg").write_bytes(b"picture")
    (folder / CARD).write_text("## Where it fails\n\nFaces are blurred.\n\n![a face](face.jpg)\n")
    return contents(folder)


def contents(folder: Path) -> dict[str, bytes]:
    return {file.name: file.read_bytes() for file in folder.iterdir()}


def test_a_finished_bundle_is_judged_again(
    options: ReleaseOptions, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(UserError, match=r"figures.json: not found; --only-judge needs a bundle"):
        command(monkeypatch, options, "--only-judge")
    options.bundle.mkdir(parents=True)
    (options.bundle / FIGURES).write_text('{"seed": 0, "figures": {"old": {}}}')
    written: list[Path] = []
    monkeypatch.setattr(release, "write_card", written.append)

    def evaluated(*arguments: str) -> None:
        assert arguments[:2] == ("train.evaluate", str(options.bundle))
        out = Path(arguments[-1])
        out.mkdir(parents=True)
        means = {"untouched": {"psnr": 24.0}}
        report = {
            "pairs": 2,
            "means": means,
            "separation": {"photographs": 1, "means": {out.name: {}}},
        }
        (out / "metrics.json").write_text(json.dumps(report))

    monkeypatch.setattr(release, "_command", evaluated)
    command(monkeypatch, options, "--only-judge")
    stored = json.loads((options.bundle / FIGURES).read_text())
    assert stored["seed"] == 0
    assert list(stored["figures"]) == list(release.REPORTED_ON)
    assert list(stored["separation"]["subjects/test"]["means"]) == ["float32", "int8_qat"]
    assert written == [options.bundle]


def test_photographs_with_masks_must_be_there(options: ReleaseOptions) -> None:
    release.check_subject_folder(options)
    elsewhere = dataclasses.replace(options, subjects=options.data / "nowhere")
    with pytest.raises(UserError, match=r"nowhere/test: expected original/NAME.jpg .*--subjects"):
        release.check_subject_folder(elsewhere)


@pytest.mark.parametrize(
    ("more", "complaint"),
    [
        ((), r"already a bundle; add --replace to replace it at the end"),
        (("--replace", "--schedule", "long"), "unknown schedule 'long'"),
        (("--replace", "--fine-tune-steps", "-1"), "--fine-tune-steps"),
        (("--replace", "--scenes", "0"), "--scenes 0: expected 1 or more"),
        (("--replace", "--bundle", "models/evaluation"), "has a folder of that name"),
        (("--replace", "--data", "nowhere"), "nowhere"),
    ],
)
def test_what_would_fail_at_the_end_is_refused_at_the_start(
    options: ReleaseOptions, monkeypatch: pytest.MonkeyPatch, more: Sequence[str], complaint: str
) -> None:
    before = old_bundle(options.bundle)
    monkeypatch.setattr(release, "train_run", lambda run: pytest.fail("trains"))
    with pytest.raises(UserError, match=complaint):
        command(monkeypatch, options, *more)
    assert contents(options.bundle) == before
    assert not options.out.exists()


@pytest.fixture
def small_release(
    options: ReleaseOptions, tiny_pocket: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two levels, one model, one set to report on; the data is that of a whole release."""
    smoke = SCHEDULES["smoke"]
    two_levels = dataclasses.replace(smoke, schedules=smoke.schedules[-2:])
    monkeypatch.setitem(SCHEDULES, "smoke", two_levels)
    monkeypatch.setattr(release, "SIZES", ("64x128:int8_qat",))
    monkeypatch.setattr(release, "COMPOSITE_SIZE", (64, 128))
    monkeypatch.setattr(release, "SHORT_SIDE", 64)
    monkeypatch.setattr(release, "TRAINED_ON", dict.fromkeys(release.TRAINED_ON, 1))
    monkeypatch.setattr(release, "RENDERED_SHORT_SIDE", 64)
    monkeypatch.setattr(release, "SOFT_SHARE", 1)
    monkeypatch.setattr(release, "REPORTED_ON", ("bokeh_pairs/test",))
    monkeypatch.setattr(release, "SUBJECT_RECIPES", ("int8_qat",))


def test_a_command_that_fails_ends_the_release(capfd: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(UserError, match=r"python -m train\.nothing: failed; see the message above"):
        release._command("train.nothing")
    assert "train.nothing" in capfd.readouterr().err


def in_this_process(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Runs a command of this project without a new process, in which TensorFlow starts slowly."""

    def run(module: str, *arguments: str) -> None:
        with monkeypatch.context() as given:
            given.setattr("sys.argv", [module, *arguments])
            importlib.import_module(module).main()

    return run


@pytest.mark.slow
@pytest.mark.usefixtures("small_release", "eagerly")
def test_the_command_ships_the_models_that_it_trained(
    options: ReleaseOptions, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    """The whole way, small: a training, an export, figures, a card, in an older bundle's place."""
    monkeypatch.setattr(release, "_command", in_this_process(monkeypatch))
    old = old_bundle(options.bundle)
    command(monkeypatch, options, "--replace")
    bundle = read_bundle(options.bundle)
    run = read_run(options.out / options.bundle.name)
    assert [model.file for model in bundle.models] == ["int8_qat_64x128.tflite"]
    figures = json.loads((bundle.folder / FIGURES).read_text())
    assert figures["levels"] == read_metrics(run)
    # Two of every set that is trained on, two rendered pairs, a scene, two and one composites.
    assert len(run.pairs("train")) == 2 * len(release.TRAINED_ON) + 2 + 3 + 3
    # The figures are those of the new models, as they lie there now.
    pairs = find_whole_folder(options.data / "bokeh_pairs/test")
    evaluation = Evaluation(open_candidates(bundle.folder), pairs, "plain", 64, border=0)
    judged = [evaluation.judge(index).figures["int8_qat"] for index in range(len(pairs))]
    stored = figures["figures"]["bokeh_pairs/test"]["means"]["int8_qat"]
    assert stored["psnr"] == pytest.approx(mean_scores(judged).psnr)
    kinds = figures["separation"]["subjects/test"]["means"]["int8_qat"]
    assert [kinds[kind]["photographs"] for kind in ("all", "animal")] == [1, 1]
    card = (bundle.folder / CARD).read_text()
    assert "| int8_qat, animal | 1 |" in card
    assert f"| 1 | 2 | 2 | {read_metrics(run)['1']['output']['psnr']:.2f} dB" in card
    assert card.endswith("the models before these.\n\nFaces are blurred.\n\n![a face](face.jpg)\n")
    assert (bundle.folder / "face.jpg").read_bytes() == b"picture"
    assert contents(options.out / "replaced" / "1") == old
    assert f"{options.bundle}: finished" in capfd.readouterr().out
    written = run.model_file.stat().st_mtime_ns
    release.train(dataclasses.replace(options, schedule="smoke"))
    assert run.model_file.stat().st_mtime_ns == written
    # Called again it has nothing to train, and other numbers would make other models.
    with pytest.raises(UserError, match="started with other settings or data: composites"):
        command(monkeypatch, options, "--composites", "3")
