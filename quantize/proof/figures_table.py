"""Prints size and quality of a bundle's models, and how much int8_qat loses."""

import numpy as np

from pocket_bokeh.bundle import Bundle
from pocket_bokeh.photo import Size

LARGEST_LOSS = (-0.05, -0.002)
"""Allowed change of PSNR in dB and of SSIM to the targets, from float32 to int8_qat."""


def size_text(size: Size) -> str:
    """HEIGHTxWIDTH, as in file names."""
    return f"{size[0]}x{size[1]}"


def figures_table(bundle: Bundle) -> str:
    """A table with the size and quality of each model."""
    lines = [
        f"{'model':20} {'MB':>6} {'to float':>9} {'largest':>8} {'mean':>6} {'to target':>10} "
        f"{'untouched':>10} {'SSIM':>7}"
    ]
    for model in bundle.models:
        figures = model.figures
        lines.append(
            f"{model.recipe + ' ' + size_text(model.working_size):20} {model.bytes / 1e6:6.2f} "
            f"{figures['psnr_to_float32']:6.2f} dB {figures['largest_step']:8.2f} "
            f"{figures['mean_step']:6.3f} {figures['psnr_to_target']:7.2f} dB "
            f"{figures['untouched_psnr_to_target']:7.2f} dB {figures['ssim_to_target']:7.4f}"
        )
    lines.append("largest and mean: difference to the trained network in steps of 1/255")
    lines.append(f"to target, untouched and SSIM: means over {bundle.judged_on}")
    if "int8_qat" in bundle.recipes:
        lines.append(cost_of_integers(bundle))
    return "\n".join(lines)


def cost_of_integers(bundle: Bundle) -> str:
    """One line: how much quality int8_qat loses, and how much it may lose."""
    losses = []
    for other in ("float32", "int8_ptq"):
        change = mean_change(bundle, "int8_qat", other)
        if change is not None:
            losses.append(f"against {other} {change[0]:+.3f} dB, SSIM {change[1]:+.4f}")
    allowed = f"allowed against float32: -{-LARGEST_LOSS[0]} dB, SSIM -{-LARGEST_LOSS[1]}"
    return f"int8_qat {'; '.join(losses) or 'has no other recipe to compare with'} ({allowed})"


def mean_change(bundle: Bundle, recipe: str, other: str) -> tuple[float, float] | None:
    """Difference of a recipe's PSNR in dB and SSIM to the targets from another recipe's.

    Negative values are losses. The mean is over the working sizes that both recipes have; None if
    there are none.
    """
    scores = {
        (model.recipe, model.working_size): np.array(
            [model.figures["psnr_to_target"], model.figures["ssim_to_target"]]
        )
        for model in bundle.models
    }
    differences = [
        score - scores[other, size]
        for (name, size), score in scores.items()
        if name == recipe and (other, size) in scores
    ]
    if not differences:
        return None
    decibels, structure = np.mean(differences, axis=0)
    return float(decibels), float(structure)
