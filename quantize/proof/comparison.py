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
    """
    outputs = [np.clip(model.run(sample.input), 0.0, 1.0) for sample in samples]
    expected = [sample.output for sample in samples]
    targets = [to_float(sample.pair.bokeh) for sample in samples]
    originals = [to_float(sample.pair.original) for sample in samples]
    steps = [255.0 * np.abs(one - other) for one, other in zip(outputs, expected, strict=True)]
    golden_outputs = [np.clip(model.run(sample.input), 0.0, 1.0) for sample in golden]
    golden_steps = np.abs(
        np.rint(255.0 * np.stack(golden_outputs))
        - np.rint(255.0 * np.stack([sample.output for sample in golden]))
    )
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
    }
    return {name: round(float(figure), 4) for name, figure in figures.items()}
