"""Studies over many rehearsals: whether what is measured holds for cells that nobody tuned anything to."""
