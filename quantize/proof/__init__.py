"""Where a .tflite file runs, and how exactly."""
