"""From a trained network to .tflite files."""
