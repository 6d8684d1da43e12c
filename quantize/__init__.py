"""Converts trained networks to .tflite models and tests these on several runtimes."""

# Importing `train` silences the logs of TensorFlow and grain, so it must come first.
import train  # noqa: F401
