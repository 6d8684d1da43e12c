"""A level's training: losses, checkpoints, the run folder, devices."""
