"""The kinds of frames of a tomogram, and where their file keeps them."""

from enum import StrEnum


class FrameKind(StrEnum):
    """What the beam and the sample did while a frame was exposed."""

    DARK = "dark"
    FLAT = "flat"
    PROJECTION = "projection"
    FLAT_AFTER = "flat_after"  # taken only where the experiment asks for flats after the projections too


# Paths inside a frames file, as ADCore's HDF5 plugin lays them out with its default layout.
IMAGES = "/entry/data/data"
TIMES = "/entry/instrument/NDAttributes/NDArrayTimeStamp"  # s since the Unix epoch, at mid-exposure
FRAME_IDS = "/entry/instrument/NDAttributes/NDArrayUniqueId"
ANGLES = "/entry/instrument/NDAttributes/rotation_angle"  # deg, the encoder's at mid-exposure

NXTOMO_IMAGE_KEY = {FrameKind.PROJECTION: 0, FrameKind.FLAT: 1, FrameKind.FLAT_AFTER: 1, FrameKind.DARK: 2}
