"""The other side of the wire: cells, beams, detectors, instruments."""
