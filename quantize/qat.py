"""Quantization-aware fine-tuning: the network learns to live with 8-bit integers.

tfmot's wrappers round weights and activations in training as TFLite's integer operators will.
tfmot's own `quantize_model` is not used: it rounds no weights of a convolution with a separate
ReLU, starts every range at -6…6, from where a short fine-tuning never gets away, and takes
twice as long.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import tensorflow as tf
import tensorflow_model_optimization as tfmot
import tf_keras
from tqdm import tqdm

from train.errors import UserError
from train.pairs import PairSource, network_input, scale_pair
from train.photo import to_float
from train.presets import TrainConfig

Model = Any
Layer = Any
Batch = dict[str, Any]

_REGISTRY = tfmot.quantization.keras.default_8bit.Default8BitQuantizeRegistry()
_QUANTIZERS = tfmot.quantization.keras.quantizers

PICTURES = ("level_2_output", "level_1_output")
"""Layers whose output is a picture: one step of the integers is one of the 255 of a photograph,
and what a photograph cannot hold is clipped."""

SMALLEST_RANGE = 0.01
"""Of an activation. One that is always zero would have no scale, which XNNPACK refuses."""

KEEPING_THEIR_INPUTS_RANGE = ("MaxPooling2D", "AveragePooling2D", "UpSampling2D")
"""Integer operators whose output has the scale of their input."""


@dataclass(frozen=True)
class FineTuneConfig:
    """How long and how the integers are fine-tuned.

    Attributes:
        steps: optimizer steps.
        batch: crops per step.
        largest_crop: side of the crops, in pixels of the photograph; the network is trained
            already and larger ones would only cost time.
        learning_rate: Adam's at the first step; it falls to zero in a half cosine.
        distillation: weight of the difference to the float network beside that to the target.
        calibration_batches: batches that the first ranges are taken from.
        validation_photos: held-out photographs that choose the best weights.
        validations: how often they are asked, evenly spread over the steps.
    """

    steps: int = 24
    batch: int = 4
    largest_crop: int = 256
    learning_rate: float = 1e-4
    distillation: float = 1.0
    calibration_batches: int = 4
    validation_photos: int = 8
    validations: int = 4


@dataclass(frozen=True)
class FineTuned:
    """A network with its roundings in place, and its mean PSNR in dB on the validation photos."""

    model: Model
    psnr_calibrated: float
    psnr: float


def fine_tune(
    twin: Model,
    batches: Iterator[Batch],
    validation: Batch,
    config: FineTuneConfig,
) -> FineTuned:
    """Rounds a float network to 8 bits and trains it to stay what it was.

    The loss is the mean absolute difference to the target plus that to the float network. Of all
    weights that validation saw, those just after calibration included, the best are kept.

    Args:
        twin: the float tf_keras network of `build_twin`; left as it is.
        batches: level-1 batches of `train.pairs.training_batches`.
        validation: `input` and `target` of `validation_crops`.
        config: steps, batch, learning rate.

    Raises:
        UserError: the network has a layer that has no integer operator.
    """
    model = quantization_aware(twin)
    calibrate(model, twin, [next(batches)["input"] for _ in range(config.calibration_batches)])
    step = _training_step(model, twin, config)
    psnr = _validation_psnr(model, validation)
    psnr_calibrated = best = psnr()
    weights = model.get_weights()
    progress = tqdm(range(1, config.steps + 1), desc="fine-tuning int8", leave=False)
    for number in progress:
        batch = next(batches)
        step(batch["input"], batch["target"])
        if number % max(1, config.steps // config.validations) == 0 or number == config.steps:
            current = psnr()
            progress.set_postfix_str(f"{current:.2f} dB, calibrated {psnr_calibrated:.2f} dB")
            if current > best:
                best, weights = current, model.get_weights()
    model.set_weights(weights)
    return FineTuned(model, psnr_calibrated, best)


def check_quantizable(twin: Model) -> None:
    """Refuses a network that cannot become integers.

    Raises:
        UserError: names a layer of each kind that stands in the way.
    """
    refused: dict[str, str] = {}
    for layer in twin.layers:
        known = isinstance(layer, tf_keras.layers.InputLayer) or _keeps_range(layer)
        if not known and not _REGISTRY.supports(layer):
            refused.setdefault(type(layer).__name__, layer.name)
    if refused:
        examples = ", ".join(f"{kind} ('{name}')" for kind, name in refused.items())
        raise UserError(
            f"int8_qat: the network has layers without an integer operator: {examples}; "
            "export with --recipes float32 float16, or train the mobile preset without depth"
        )


def quantization_aware(twin: Model) -> Model:
    """The network with every weight and every activation rounded to 8 bits, ranges still unset.

    Raises:
        UserError: the network has a layer that has no integer operator.
    """
    check_quantizable(twin)

    def wrapped(layer: Layer) -> Layer:
        copy = type(layer).from_config(layer.get_config())
        return tfmot.quantization.keras.QuantizeWrapperV2(
            copy, _Rounding(copy, _output_quantizer(layer)), name=layer.name
        )

    model = tf_keras.models.clone_model(twin, clone_function=wrapped)
    for layer in twin.layers:
        # Inside the wrapper the layer has lost its kernel to a rounded one; the wrapper keeps it.
        wrapper = model.get_layer(layer.name)
        for variable, value in zip(wrapper.trainable_weights, layer.get_weights(), strict=True):
            variable.assign(_without_dead_filters(value))
    return model


def _without_dead_filters(weights: np.ndarray) -> np.ndarray:
    """A kernel whose all-zero filters, which would have no scale, are a millionth in one place."""
    if weights.ndim != 4:
        return weights
    weights = weights.copy()
    weights[0, 0, 0, ~weights.any(axis=(0, 1, 2))] = 1e-6
    return weights


def calibrate(model: Model, twin: Model, inputs: list[np.ndarray]) -> None:
    """Sets the ranges of all activations to what the float network shows on some photographs.

    Args:
        model: of `quantization_aware`.
        twin: the float network it was made from.
        inputs: batches of network inputs, N × H × W × 3, 0…1, all of one shape.
    """
    ranges = {
        layer.name: (variables["min_var"], variables["max_var"])
        for layer in model.layers
        if (variables := getattr(layer, "_output_quantizer_vars", None))
    }
    outputs = tf_keras.Model(twin.input, [twin.get_layer(name).output for name in ranges])

    @tf.function(autograph=False)
    def extremes(photos: tf.Tensor) -> tf.Tensor:
        activations = outputs(photos, training=False)
        return tf.stack([(tf.reduce_min(x), tf.reduce_max(x)) for x in activations])

    # The mean over batches, as a moving average over a long training would find it: the rare
    # outlier is clipped for the sake of finer steps.
    means = np.mean([extremes(batch).numpy() for batch in inputs], axis=0)
    for variables, extreme in zip(ranges.values(), means, strict=True):
        # Zero must be among the values: convolutions pad with it.
        least, greatest = min(0.0, extreme[0]), max(0.0, extreme[1])
        variables[0].assign(least)
        variables[1].assign(max(greatest, least + SMALLEST_RANGE))
    # Weights bring their ranges along when they are first used in training.
    model(tf.convert_to_tensor(inputs[0][:1]), training=True)


def validation_crops(pairs: PairSource, config: TrainConfig, count: int) -> Batch:
    """The middles of held-out photographs as one level-1 batch.

    Returns:
        `input` N × crop/2 × crop/2 × 3 (4 with depth) and `target` N × crop × crop × 3, float32
        0…1.
    """
    inputs, targets = [], []
    for index in range(min(count, len(pairs))):
        pair = scale_pair(pairs[index], config.short_side)
        pair = pair.transform(lambda photo: _middle(photo, config.crop))
        inputs.append(network_input(pair.original, pair.depth))
        targets.append(to_float(pair.bokeh))
    return {"input": np.stack(inputs), "target": np.stack(targets)}


def _middle(photo: np.ndarray, side: int) -> np.ndarray:
    top, left = ((length - side) // 2 for length in photo.shape[:2])
    return photo[top : top + side, left : left + side]


def _training_step(
    model: Model, twin: Model, config: FineTuneConfig
) -> Callable[[np.ndarray, np.ndarray], None]:
    schedule = tf_keras.optimizers.schedules.CosineDecay(config.learning_rate, max(1, config.steps))
    optimizer = tf_keras.optimizers.Adam(schedule)
    optimizer.build(model.trainable_variables)

    # Without autograph tracing takes a third of the time; the layers branch on Python values.
    @tf.function(autograph=False)
    def step(photos: tf.Tensor, targets: tf.Tensor) -> None:
        taught = twin(photos, training=False)
        with tf.GradientTape() as tape:
            output = model(photos, training=True)
            loss = tf.reduce_mean(tf.abs(output - targets))
            loss += config.distillation * tf.reduce_mean(tf.abs(output - taught))
        gradients = tape.gradient(loss, model.trainable_variables)
        optimizer.apply_gradients(zip(gradients, model.trainable_variables, strict=True))

    return step


def _validation_psnr(model: Model, validation: Batch) -> Callable[[], float]:
    photos, targets = tf.constant(validation["input"]), tf.constant(validation["target"])

    @tf.function(autograph=False)
    def psnr(photo: tf.Tensor, target: tf.Tensor) -> tf.Tensor:
        return tf.image.psnr(model(photo[None], training=False)[0], target, max_val=1.0)

    def mean_psnr() -> float:
        pictures = zip(photos, targets, strict=True)
        return float(np.mean([psnr(photo, target) for photo, target in pictures]))

    return mean_psnr


class _Rounding(tfmot.quantization.keras.QuantizeConfig):
    """Weights as tfmot's default scheme rounds them; the output as told."""

    def __init__(self, layer: Layer, output_quantizer: Any | None):
        self.weights = None if _keeps_range(layer) else _REGISTRY.get_quantize_config(layer)
        self.output_quantizer = output_quantizer

    def get_weights_and_quantizers(self, layer: Layer) -> list[tuple[Any, Any]]:
        return self.weights.get_weights_and_quantizers(layer) if self.weights else []

    def set_quantize_weights(self, layer: Layer, quantize_weights: list[Any]) -> None:
        if self.weights:
            self.weights.set_quantize_weights(layer, quantize_weights)

    def get_activations_and_quantizers(self, layer: Layer) -> list[tuple[Any, Any]]:
        return []

    def set_quantize_activations(self, layer: Layer, quantize_activations: list[Any]) -> None:
        pass

    def get_output_quantizers(self, layer: Layer) -> list[Any]:
        return [self.output_quantizer] if self.output_quantizer else []

    def get_config(self) -> dict[str, Any]:
        raise NotImplementedError("a network with its roundings is converted, not saved")


def _output_quantizer(layer: Layer) -> Any | None:
    """Where the integer network rounds: not between operators that TFLite fuses or that share
    their scale."""
    if layer.name in PICTURES:
        return _QUANTIZERS.FixedQuantizer(
            num_bits=8, init_min=0.0, init_max=1.0, narrow_range=False
        )
    consumers = [type(node.outbound_layer).__name__ for node in layer._outbound_nodes]
    fused = isinstance(layer, tf_keras.layers.Conv2D) and consumers == ["ReLU"]
    # A concatenation has one scale; who feeds nothing else takes it over.
    if fused or consumers == ["Concatenate"] or _keeps_range(layer):
        return None
    return _QUANTIZERS.MovingAverageQuantizer(
        num_bits=8, per_axis=False, symmetric=False, narrow_range=False
    )


def _keeps_range(layer: Layer) -> bool:
    return type(layer).__name__ in KEEPING_THEIR_INPUTS_RANGE
