"""The network: presets, PyNET itself, what it costs, and its files."""
