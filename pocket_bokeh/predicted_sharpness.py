"""Decides from a network's predicted sharpness where a photograph stays sharp.

The network says of every pixel how likely it is in focus. No single threshold suits all
photographs: what is a good one for a portrait leaves the meadow behind a horse sharp. Two things
can go wrong, and with probabilities p and the squared gradients g of the photograph both can be
foreseen for every threshold:

    lost = sum over the blurred pixels of p · g / sum over all of p · g
    left = sum over the sharp pixels of (1 − p) · g / sum over all of (1 − p) · g

`lost` is the share of the subject's detail that will be blurred, `left` the share of the
background's that will stay. Raising the threshold raises the first and lowers the second. The
threshold is where `LOSS_WEIGHT` times the first equals the second.

Where the network is sure of its subject, such a threshold can be so low that a rim of background
stays sharp around it. So beside a sure place it is higher: `BELOW_MAXIMUM` below the greatest logit
within `RADIUS`.
"""

import math

import numpy as np

SHARPNESS_RANGE = (0.03, 0.97)
"""A pixel is in focus with the first probability where predicted sharpness is 0, and with the
second where it is 1. It is linear in the logit between."""

LOSS_WEIGHT = 6.0
"""How much worse it is to blur a part of the subject than to leave the same part of the background
(docs/experiments.md)."""

THRESHOLDS = (0.05, 0.7)
"""Lowest and highest probability that can be the threshold."""

BELOW_MAXIMUM = 4.7
"""In units of the logit. Beside a place that is in focus with a probability of 0.97, the threshold
is at least 0.23."""

RADIUS = 12
"""Half the side of the square in which the maximum is looked for, in working-size pixels."""

EDGE = 0.9
"""From all blurred to all sharp in units of the logit, with the threshold in the middle."""

STEPS = 255
"""Predicted sharpness is counted in the steps of 8-bit models."""

_LUMA = np.array([0.299, 0.587, 0.114], np.float32)


def sharp_share(small: np.ndarray, sharpness: np.ndarray) -> np.ndarray:
    """The share of a photograph's detail to keep, 0…1, h × w.

    Args:
        small: h × w × 3, the photograph at working size, sRGB-encoded, float 0…1.
        sharpness: h × w, the network's prediction as `SHARPNESS_RANGE` says, 0…1.
    """
    edge = EDGE / _logit_span()
    beside_sure_places = _local_maximum(sharpness) - BELOW_MAXIMUM / _logit_span()
    threshold = np.maximum(balanced_threshold(small, sharpness), beside_sure_places)
    return np.clip((sharpness - threshold) / edge + 0.5, 0.0, 1.0)


def balanced_threshold(small: np.ndarray, sharpness: np.ndarray) -> float:
    """The predicted sharpness at which the two faults balance; arguments as `sharp_share`."""
    steps = np.rint(np.clip(sharpness, 0.0, 1.0) * STEPS).astype(np.intp)
    detail = _squared_gradients(small)
    counted = np.bincount(steps.ravel(), detail.ravel(), STEPS + 1)
    in_focus = _probabilities()
    # Edge i lies below step i: all steps below it are blurred.
    lost = _cumulative_share(counted * in_focus)
    left = 1.0 - _cumulative_share(counted * (1.0 - in_focus))
    edge = np.interp(0.0, LOSS_WEIGHT * lost - left, np.arange(STEPS + 2))
    lowest, highest = (_sharpness(probability) for probability in THRESHOLDS)
    return float(np.clip((edge - 0.5) / STEPS, lowest, highest))


def _local_maximum(plane: np.ndarray) -> np.ndarray:
    """The greatest value within `RADIUS` rows and columns, and within the picture."""
    plane = np.clip(plane, 0.0, 1.0)
    for _ in range(2):
        plane = np.pad(plane, ((RADIUS, RADIUS), (0, 0)), mode="edge")
        covered = 1
        while covered < 2 * RADIUS + 1:
            step = min(covered, 2 * RADIUS + 1 - covered)
            plane = np.maximum(plane[:-step], plane[step:])
            covered += step
        plane = plane.T
    return plane


def _squared_gradients(small: np.ndarray) -> np.ndarray:
    """|∇Y'|² of the luma of ITU-R BT.601, by central differences."""
    down, across = np.gradient(small @ _LUMA)
    return np.square(down) + np.square(across)


def _probabilities() -> np.ndarray:
    """The probability of being in focus at every step of predicted sharpness."""
    logits = logit(SHARPNESS_RANGE[0]) + _logit_span() * np.arange(STEPS + 1) / STEPS
    return 1.0 / (1.0 + np.exp(-logits))


def _cumulative_share(values: np.ndarray) -> np.ndarray:
    """The share of the sum before every value, and 1 at the end; zeros if all are zero."""
    total = np.concatenate([[0.0], np.cumsum(values)])
    return total / max(total[-1], np.finfo(float).tiny)


def _sharpness(probability: float) -> float:
    """The predicted sharpness that means a probability."""
    return (logit(probability) - logit(SHARPNESS_RANGE[0])) / _logit_span()


def _logit_span() -> float:
    none, full = (logit(probability) for probability in SHARPNESS_RANGE)
    return full - none


def logit(probability: float) -> float:
    """The logarithm of the odds of a probability between 0 and 1."""
    return math.log(probability / (1.0 - probability))
