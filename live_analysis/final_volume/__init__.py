"""Whole volumes from frames on disk, slab by slab of rows."""
