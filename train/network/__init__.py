"""PyNET: presets, architecture, cost, and network files."""
