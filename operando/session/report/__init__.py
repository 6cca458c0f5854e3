"""The report of a run: one HTML page that opens without this software, and its tables for programs."""
