"""Decodes photo files: formats, colours and orientation."""
