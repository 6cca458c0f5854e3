"""Bluesky plans: what to measure and in which order."""
