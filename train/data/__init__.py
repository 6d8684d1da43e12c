"""Training pairs: found in a folder or generated, and turned into batches."""
