"""What a photo file says of its pixels: format, colours, orientation."""
