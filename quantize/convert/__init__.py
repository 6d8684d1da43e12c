"""Converts trained networks to .tflite files."""
