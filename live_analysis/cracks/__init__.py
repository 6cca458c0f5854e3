"""Cracks in an electrode: how much they opened, how many there are, how thick they are and which way they lie."""
