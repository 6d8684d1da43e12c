"""The models that a visitor can choose from."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial

from gradio_app.model_check import THREADS
from gradio_app.model_file import ModelFile
from pocket_bokeh.bundle import Bundle, BundledModel
from pocket_bokeh.errors import UserError
from pocket_bokeh.focus_map import Point
from pocket_bokeh.litert_model import LiteRTModel
from pocket_bokeh.shaped_model import LoadedWhenRun, in_every_shape

_LABELS = {
    "dynamic_int8": "int8 weights only",
    "int8_ptq": "int8 (calibrated)",
    "int8_qat": "int8 (fine-tuned)",
}


@dataclass(frozen=True)
class ModelChoice:
    """One network in one number format, possibly at several working sizes.

    Attributes:
        key: a checksum of its content.
        name: the recipe, or the file name of a visitor's own model; used in links and file names.
        label: the name that people read.
        files: one per working size.
        reference: the key of the float32 model that it is compared with, if there is one.
        to_target: mean PSNR in dB to the target on the bundle's pairs; None if it was not measured.
        focus: what to keep sharp, in fractions of the photo's width and height; None: automatic.
    """

    key: str
    name: str
    label: str
    files: tuple[ModelFile, ...]
    reference: str | None = None
    to_target: float | None = None
    focus: Point | None = None

    @property
    def weights(self) -> str:
        """The key that it has without a focus."""
        return self.key.partition("_")[0]

    @property
    def takes_focus(self) -> bool:
        """Whether it can be told what to keep sharp."""
        return all(file.channels == 4 and file.fourth_channel == "focus" for file in self.files)

    def focused(self, focus: Point | None) -> "ModelChoice":
        """The model told what to keep sharp, under a key of its own; unchanged if it takes none."""
        if focus is None or not self.takes_focus:
            return self
        at = "_".join(str(round(1000 * part)) for part in focus)
        reference = self.reference and f"{self.reference}_{at}"
        return replace(self, key=f"{self.key}_{at}", reference=reference, focus=focus)

    @property
    def bytes(self) -> int:
        """The size of its largest file."""
        return max(file.bytes for file in self.files)

    def renderers(self) -> list[LoadedWhenRun]:
        """Its files as `render_photo` takes them; each is loaded when it first runs."""
        return [
            LoadedWhenRun(
                partial(_load, file),
                file.output_size,
                file.fourth_channel if file.channels == 4 else "none",
            )
            for file in self.files
        ]


def _load(file: ModelFile) -> LiteRTModel:
    """Loads a model for one photo.

    Loading takes a tenth of a second; six models that stay loaded take 600 MB.
    """
    if not file.file.is_file():
        raise UserError("no longer on the server, which keeps uploads for an hour; add it again")
    return file.load(THREADS)


def label_of(recipe: str) -> str:
    """What people read in place of a recipe's name."""
    return _LABELS.get(recipe, recipe)


def list_models(bundle: Bundle, prefix: str = "") -> list[ModelChoice]:
    """A choice for every recipe of a bundle.

    Args:
        bundle: has the models.
        prefix: goes before names and labels, to tell apart the models of several bundles.
    """
    keys = {recipe: _key(bundle.models_of(recipe)) for recipe in bundle.recipes}
    channels = 3 if bundle.fourth_channel == "none" else 4
    return [
        ModelChoice(
            key,
            f"{prefix}{recipe}",
            f"{prefix}{label_of(recipe)}",
            tuple(
                ModelFile(
                    shaped.file,
                    shaped.working_size,
                    channels,
                    shaped.bytes,
                    shaped.is_transposed,
                    shaped.fourth_channel,
                )
                for shaped in in_every_shape(bundle, recipe)
            ),
            reference=keys.get("float32"),
            to_target=bundle.models_of(recipe)[0].figures.get("psnr_to_target"),
        )
        for recipe, key in keys.items()
    ]


def with_unique_labels(models: Sequence[ModelChoice]) -> list[ModelChoice]:
    """The same models; a label that occurs again gets a number."""
    count: dict[str, int] = {}
    unique = []
    for model in models:
        number = count[model.label] = count.get(model.label, 0) + 1
        if number > 1:
            model = replace(
                model, name=f"{model.name} ({number})", label=f"{model.label} ({number})"
            )
        unique.append(model)
    return unique


def _key(models: Sequence[BundledModel]) -> str:
    return hashlib.sha256("".join(model.sha256 for model in models).encode()).hexdigest()[:16]
