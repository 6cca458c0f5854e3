"""Run, rehearse and watch operando tomography of solid-state battery cells."""
