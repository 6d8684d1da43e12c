"""How good a network or a bundle is, and the pages that tell it."""
