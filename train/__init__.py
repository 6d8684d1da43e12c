"""Training PyNET."""

import logging
import os

import absl.logging

from train.backend import exit_without_backend

# Done at import, because it must come before the libraries that it is about are imported.
# Keras cannot be imported without its backend.
if _backend := os.environ.get("KERAS_BACKEND"):
    exit_without_backend(_backend)
# TensorFlow and grain greet every command with pages about CUDA, JAX and retracing that help
# nobody, and bury the one line that says what is wrong.
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
absl.logging.set_verbosity(absl.logging.ERROR)
# TensorFlow takes oneDNN by itself only on processors with AVX512-VNNI. On others its own
# convolution gradients take up to three times as long, and gigabytes for a large kernel.
os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "1")
# JAX's older way to draw random numbers: a network's start values compile in half the time.
os.environ.setdefault("JAX_THREEFRY_PARTITIONABLE", "0")
logging.getLogger("tensorflow").setLevel(logging.ERROR)
