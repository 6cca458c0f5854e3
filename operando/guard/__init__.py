"""The process that owns the cell: samples, logs, limits, safe state."""
