"""Pairs of photographs: found, made, and turned into batches."""
