"""Comparisons with real models: correct pictures, one by one, each rendered once, cancellable."""

import csv
import dataclasses
import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from gradio_app.comparison import Comparison, compare_models
from gradio_app.measurements import COLUMNS, LARGEST_DIFFERENCE, VISIBLE, Measurements
from gradio_app.model_catalogue import list_models
from gradio_app.photos import Photo, read_upload
from gradio_app.task_pool import TaskPool
from pocket_bokeh.bundle import Bundle
from pocket_bokeh.errors import UserError
from pocket_bokeh.photo import read_photo


def grey() -> Photo:
    return Photo("grey", "grey", lambda: np.full((80, 120, 3), 100, np.uint8))


def finish(pool: TaskPool, photo: Photo, bundle: Bundle) -> list[Comparison]:
    return list(compare_models(pool, photo, list_models(bundle)))


def test_each_picture_is_its_models_at_the_photos_size(
    pool: TaskPool, bundle: Bundle, photo_file: Path
) -> None:
    photo = read_upload(photo_file)
    last = finish(pool, photo, bundle)[-1]
    assert last.done
    assert last.size == (80, 120)
    expected = {"photo": (60, 100, 60), "float32": (60, 100, 60), "float16": (195, 155, 195)}
    assert [picture.label for picture in last.pictures] == list(expected)
    for picture in last.pictures:
        pixels = read_photo(pool.store.picture_file(photo.key, picture.key))
        assert pixels.shape == (80, 120, 3)
        np.testing.assert_allclose(
            pixels, np.broadcast_to(expected[picture.label], pixels.shape), atol=1
        )


def test_pictures_come_one_by_one_and_the_photo_first(pool: TaskPool, bundle: Bundle) -> None:
    reports = finish(pool, grey(), bundle)
    assert reports[0].size == (0, 0)
    waiting = [len(report.waiting) for report in reports]
    assert waiting == sorted(waiting, reverse=True)
    assert "photo" in reports[0].waiting
    first = next(report for report in reports if report.size[0])
    assert "photo" not in first.waiting


def test_the_figures_are_known(pool: TaskPool, bundle: Bundle) -> None:
    last = finish(pool, grey(), bundle)[-1]
    rows = {
        str(row[0]): dict(zip(COLUMNS, row, strict=True)) for row in Measurements(last, {}).rows()
    }
    assert list(rows) == ["photo", "float32", "float16"]
    assert rows["float32"]["PSNR to float32"] is None
    assert rows["float32"]["remark"] == "reference for “to float32”"
    assert rows["float16"][LARGEST_DIFFERENCE] == 55  # 100 and 155
    assert rows["float16"]["PSNR to float32"] == pytest.approx(13.32, abs=0.02)
    assert rows["float16"][VISIBLE] == 100


def test_the_same_photo_is_not_rendered_twice(pool: TaskPool, bundle: Bundle) -> None:
    finish(pool, grey(), bundle)
    files = {
        file: file.stat().st_mtime_ns
        for file in pool.store.picture_file("grey", "original").parent.glob("*.png")
    }
    again = finish(pool, grey(), bundle)
    assert again[-1].done
    assert len(again) == 2  # begun, and all there
    assert {file: file.stat().st_mtime_ns for file in files} == files


def test_whoever_stops_looking_stops_the_work(pool: TaskPool, bundle: Bundle) -> None:
    models = [
        dataclasses.replace(model, key=f"{model.key}{n}")
        for n in range(10)
        for model in list_models(bundle)
    ]
    reports = compare_models(pool, grey(), models)
    for report in reports:
        if report.size[0]:
            break
    assert pool.unfinished > pool.cores
    reports.close()
    assert pool.unfinished <= pool.cores


def test_a_failure_is_that_pictures_alone(pool: TaskPool, bundle: Bundle, tmp_path: Path) -> None:
    models = list_models(bundle)
    file = dataclasses.replace(models[1].files[0], channels=4, fourth_channel="depth")
    deep = dataclasses.replace(models[1], files=(file,))
    last = list(compare_models(pool, grey(), [models[0], deep]))[-1]
    assert last.done
    assert [picture.ready for picture in last.pictures] == [True, True, False]
    assert "depth map" in last.pictures[2].failure
    assert "depth map" in str(Measurements(last, {}).rows()[-1][-1])

    Image.new("RGB", (40, 8000), "red").save(tmp_path / "narrow.png")
    last = finish(pool, read_upload(tmp_path / "narrow.png"), bundle)[-1]
    assert [picture.ready for picture in last.pictures] == [True, False, False]
    assert "too narrow" in last.pictures[1].failure


def test_one_pixel_is_rendered(pool: TaskPool, bundle: Bundle, tmp_path: Path) -> None:
    Image.new("RGB", (1, 1), (9, 9, 9)).save(tmp_path / "dot.png")
    last = finish(pool, read_upload(tmp_path / "dot.png"), bundle)[-1]
    assert all(picture.ready for picture in last.pictures)
    assert last.pictures[2].to_reference is not None
    assert last.pictures[2].to_reference.metrics.ssim is None


def test_damage_inside_a_photo_is_one_sentence(
    pool: TaskPool, bundle: Bundle, tmp_path: Path
) -> None:
    stream = io.BytesIO()
    noise = np.random.default_rng(0).integers(0, 256, (100, 100, 3), np.uint8)
    Image.fromarray(noise).save(stream, "PNG")
    (tmp_path / "cut.png").write_bytes(stream.getvalue()[:9000])
    with pytest.raises(UserError, match="damaged or incomplete"):
        finish(pool, read_upload(tmp_path / "cut.png"), bundle)


def test_the_csv_says_the_same_and_holds_no_formula(pool: TaskPool, bundle: Bundle) -> None:
    photo = dataclasses.replace(grey(), name="=1+1.png")
    last = finish(pool, photo, bundle)[-1]
    rows = list(csv.DictReader(io.StringIO(Measurements(last, {}).csv())))
    assert [row["picture"] for row in rows] == ["photo", "float32", "float16"]
    assert rows[0]["photo"] == "'=1+1.png"
    assert (rows[0]["width"], rows[0]["height"]) == ("120", "80")
    assert rows[2][LARGEST_DIFFERENCE] == "55"
