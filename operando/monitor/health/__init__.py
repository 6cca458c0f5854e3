"""How the programs themselves are: processes, rates, delays and clocks."""
