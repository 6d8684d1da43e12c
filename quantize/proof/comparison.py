"""Measures the quality of a converted model, against the float network and against the targets."""

from collections.abc import Mapping, Sequence

import numpy as np

from pocket_bokeh.metrics import psnr, ssim
from pocket_bokeh.photo import to_float
from pocket_bokeh.render import Renderer
from quantize.convert.samples import Sample


def model_figures(
    model: Renderer, samples: Sequence[Sample], golden: Sequence[Sample]
) -> Mapping[str, float]:
    """Runs a model on samples and measures its quality.

    Args:
        model: a model of the samples' working size.
        samples: held-out pairs with the float network's output.
        golden: the samples that the bundle contains.

    Returns:
        Figures by name, averaged over the samples unless said otherwise:

        psnr_to_float32: PSNR in dB to the float network.
        largest_step, mean_step: difference to the float network in steps of 1/255; the largest is
            over all samples.
        psnr_to_target, ssim_to_target: to the target.
        untouched_psnr_to_target, untouched_ssim_to_target: of the unprocessed photograph.
        golden_largest_step, golden_mean_step: difference on the golden samples; both outputs are
            rounded to 8 bits first, because the bundle contains 8-bit pictures.
        sharpness_mean_step, golden_sharpness_mean_step: difference of predicted sharpness to the
            float network in steps of 1/255; only if the model predicts it.
    """
    whole = [np.clip(model.run(sample.input), 0.0, 1.0) for sample in samples]
    outputs = [output[..., :3] for output in whole]
    expected = [sample.output[..., :3] for sample in samples]
    golden_outputs = [np.clip(model.run(sample.input), 0.0, 1.0) for sample in golden]
    golden_expected = [sample.output for sample in golden]
    targets = [to_float(sample.pair.bokeh) for sample in samples]
    originals = [to_float(sample.pair.original) for sample in samples]
    steps = [255.0 * np.abs(one - other) for one, other in zip(outputs, expected, strict=True)]
    golden_steps = rounded_steps(golden_outputs, golden_expected)
    figures = {
        "psnr_to_float32": np.mean(list(map(psnr, outputs, expected))),
        "largest_step": max(step.max() for step in steps),
        "mean_step": np.mean([step.mean() for step in steps]),
        "psnr_to_target": np.mean(list(map(psnr, outputs, targets))),
        "ssim_to_target": np.mean(list(map(ssim, outputs, targets))),
        "untouched_psnr_to_target": np.mean(list(map(psnr, originals, targets))),
        "untouched_ssim_to_target": np.mean(list(map(ssim, originals, targets))),
        "golden_largest_step": golden_steps.max(),
        "golden_mean_step": golden_steps.mean(),
        **sharpness_figures(whole, [one.output for one in samples], "sharpness_mean_step"),
        **sharpness_figures(golden_outputs, golden_expected, "golden_sharpness_mean_step"),
    }
    return {name: round(float(figure), 4) for name, figure in figures.items()}


def rounded_steps(outputs: Sequence[np.ndarray], wanted: Sequence[np.ndarray]) -> np.ndarray:
    """Differences of the colours as 8-bit pictures, in steps.

    Args:
        outputs, wanted: pictures of one size, height × width × 3 or 4, 0…1.

    Returns:
        N × height × width × 3.
    """
    return np.abs(
        np.rint(255.0 * np.stack(outputs)[..., :3]) - np.rint(255.0 * np.stack(wanted)[..., :3])
    )


def sharpness_figures(
    outputs: Sequence[np.ndarray], wanted: Sequence[np.ndarray], name: str
) -> dict[str, float]:
    """The mean difference of predicted sharpness in steps of 1/255, by a name.

    Args:
        outputs, wanted: height × width × 3 or 4, 0…1; with 3 there is no figure.
        name: of the figure.
    """
    both = zip(outputs, wanted, strict=True)
    steps = [255.0 * np.abs(one[..., 3:] - other[..., 3:]) for one, other in both]
    if not steps[0].size:
        return {}
    return {name: float(np.mean([step.mean() for step in steps]))}
