"""The chip makers' own compilers, each in an environment of its own."""
