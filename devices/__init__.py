"""Ophyd devices and serial drivers: what each kind of hardware can do and what it reads."""
