"""The whole course of a run: columns read from the guard's log, and what of them a picture of given width can show."""
