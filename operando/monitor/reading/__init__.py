"""What the monitor knows of a run, read from its directory; nothing here draws."""
