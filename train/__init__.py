"""Training PyNET."""

import logging
import os

import absl.logging

from train.backend import exit_without_backend

# This runs at import, because it must come before Keras and TensorFlow are imported.
# Importing Keras without its backend fails with a long traceback.
if _backend := os.environ.get("KERAS_BACKEND"):
    exit_without_backend(_backend)
# TensorFlow and grain log pages about CUDA, JAX and retracing, which hide our error messages.
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
absl.logging.set_verbosity(absl.logging.ERROR)
# By default TensorFlow uses oneDNN only on processors with AVX512-VNNI. On others its convolution
# gradients take up to three times as long, and gigabytes of memory for a large kernel.
os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "1")
# With JAX's older random numbers, initializing a network compiles in half the time.
os.environ.setdefault("JAX_THREEFRY_PARTITIONABLE", "0")
logging.getLogger("tensorflow").setLevel(logging.ERROR)
