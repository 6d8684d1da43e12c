"""Tests where .tflite models run and how accurate they are."""
