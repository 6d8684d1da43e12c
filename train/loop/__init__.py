"""The training loop: losses, checkpoints, run folders, devices."""
