"""What a comparison means, in words: whether an integer model is as good as float32."""

from gradio_app.comparison import Comparison, Picture

_PREFERRED = ("int8_qat", "int8_ptq")


def verdict(now: Comparison) -> str:
    """How one model differs from float32 on this photo and over the test pairs.

    The model is the fine-tuned int8 one if it is there. Empty until it was measured.
    """
    judged = _judged(now)
    if judged is None or judged.to_reference is None or judged.model is None:
        return ""
    model, measured = judged.model, judged.to_reference
    largest = measured.metrics.largest_step
    if largest == 0:
        text = f"{model.label} renders this photo exactly as float32."
    else:
        text = (
            f"{model.label} differs from float32 by at most {largest} of 255, visibly in "
            f"{percent(measured.visible)} of the picture."
        )
    reference = next((m for m in now.models if m.key == model.reference), None)
    if reference is None or reference.to_target is None or model.to_target is None:
        return text
    cost = reference.to_target - model.to_target
    return f"{text} {_cost(cost)}"


def percent(share: float) -> str:
    """A share as a percentage that does not call little nothing."""
    if share == 0:
        return "no part"
    value = 100 * share
    return (
        "less than 0.1 %" if value < 0.1 else f"{value:.1f} %" if value < 10 else f"{value:.0f} %"
    )


def _cost(decibels: float) -> str:
    if abs(decibels) < 0.005:
        return "On the test pairs it is as close to the real blur as float32."
    if decibels < 0:
        return f"On the test pairs it is {-decibels:.2f} dB closer to the real blur than float32."
    return f"On the test pairs it costs {decibels:.2f} dB against the real blur."


def _judged(now: Comparison) -> Picture | None:
    measured = [
        picture
        for picture in now.pictures
        if picture.model and picture.to_reference and picture.model.key != picture.model.reference
    ]
    by_name = {picture.model.name: picture for picture in measured if picture.model}
    return next((by_name[name] for name in _PREFERRED if name in by_name), None) or next(
        iter(measured), None
    )
