"""Faults of the simulated beamline: each does on the wire what the broken thing does."""
