"""From a run to a bundle of .tflite models, and running those."""

# First of all: it tells TensorFlow and grain to keep quiet before anything imports them.
import train  # noqa: F401
