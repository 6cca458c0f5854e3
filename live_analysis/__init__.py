"""Documents and frames in, measurements out."""
