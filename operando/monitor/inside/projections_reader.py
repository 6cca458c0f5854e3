"""What the camera has seen of one tomogram: newest projection, newest flat, and the sinogram of a row."""

from dataclasses import dataclass

import numpy as np

from operando.model.frames import FrameKind
from operando.model.run_directory import RunDirectory
from operando.monitor.inside.colour_scale import StraightScale
from operando.monitor.inside.drawn_image import DrawnImage, draw_values
from operando.monitor.inside.frames_pictures import FramePicture, NewestFrame
from operando.monitor.inside.sinogram import COUNTS, Sinogram, SinogramReader
from operando.monitor.reading.pictures import PERCENTILES
from operando.monitor.reading.run_view import TomogramView


@dataclass(frozen=True, eq=False)
class DrawnSinogram:
    """A sinogram and its picture."""

    sinogram: Sinogram
    image: DrawnImage
    scale: StraightScale


@dataclass(frozen=True)
class ShownProjections:
    """What there is of each; None where there is nothing."""

    projection: FramePicture | None
    flat: FramePicture | None
    sinogram: DrawnSinogram | None


class ProjectionsReader:
    """Looks for newer frames each time it is asked."""

    def __init__(self, run: RunDirectory) -> None:
        self._projection = NewestFrame(run, FrameKind.PROJECTION)
        self._flat = NewestFrame(run, FrameKind.FLAT, FrameKind.FLAT_AFTER)
        self._sinograms = SinogramReader(run)
        self._drawn: DrawnSinogram | None = None
        self._scaled: tuple[int, Sinogram, StraightScale] | None = None

    def projection(self, tomogram: TomogramView) -> FramePicture | None:
        """Return the newest projection alone."""
        return self._projection.newest(tomogram)

    def newest(self, tomogram: TomogramView, row: int | None) -> ShownProjections:
        """Return all three."""
        sinogram = self._sinograms.newest(tomogram, row)
        if sinogram is None:
            self._drawn = None
        elif self._drawn is None or self._drawn.sinogram is not sinogram:
            scale = self._scale(tomogram.attempt, sinogram)
            self._drawn = DrawnSinogram(sinogram, draw_values(sinogram.values, scale), scale)
        return ShownProjections(self._projection.newest(tomogram), self._flat.newest(tomogram), self._drawn)

    def _scale(self, attempt: int, sinogram: Sinogram) -> StraightScale:
        """Return the scale of this row; it is chosen again only when there are twice as many lines."""
        if self._scaled is not None:
            known_attempt, known, scale = self._scaled
            same = (known_attempt, known.row, known.quantity) == (attempt, sinogram.row, sinogram.quantity)
            if same and len(sinogram.values) < 2 * len(known.values):
                return scale
        finite = sinogram.values[np.isfinite(sinogram.values)]
        low, high = np.percentile(finite, PERCENTILES) if finite.size else (0.0, 1.0)
        unit = COUNTS if sinogram.quantity == COUNTS else "of the beam"
        scale = StraightScale(float(low), float(max(high, low + 1e-6)), unit)
        self._scaled = attempt, sinogram, scale
        return scale
