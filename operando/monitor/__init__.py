"""The window that people watch; it reads the run directory and nothing else."""
