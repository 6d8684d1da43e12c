"""From a trained network to a bundle of .tflite models, and proofs of these."""

# It tells TensorFlow and grain to keep quiet, so it comes before anything that imports them.
import train  # noqa: F401
