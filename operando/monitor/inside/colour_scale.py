"""Which colour a number gets, and where it stands beside a bar of these colours."""

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from operando.model.grey_window import GreyWindow, grey_window
from operando.monitor.theme import Theme

NOT_SEEN = (44, 54, 70)  # no grey and no colour of a difference
NUM_COLOURS = 256  # the first of them for what was not seen
# From blue over a light grey to vermilion, Okabe and Ito (2008): told apart by people of all kinds of colour vision.
DIFFERENCE_COLOURS = ((0, 60, 130), (86, 180, 233), (242, 242, 238), (240, 150, 60), (150, 50, 0))
DIFFERENCE_SHARE = 0.12  # of the window of grey values, at the ends of the scale of differences
MAX_DIFFERENCE_TICKS = 2  # on each side of zero


class ColourScale(Protocol):
    """Numbers as colours; places run from 0 to 1."""

    @property
    def unit(self) -> str:
        """Unit of the numbers."""

    @property
    def ground(self) -> Theme:
        """The theme whose lines are seen on a picture in these colours, whatever that of the window."""

    @property
    def words(self) -> str:
        """What the colours mean."""

    @property
    def short_words(self) -> str:
        """What a bar of the colours does not tell."""

    @property
    def stops(self) -> tuple[tuple[int, int, int], ...]:
        """Red, green and blue at equal distances, from place 0 to place 1."""

    def places(self, values: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return the place of each value, NaN for NaN."""

    def ticks(self) -> list[float]:
        """Return round values to be written beside the bar."""


@dataclass(frozen=True)
class GreyScale:
    """Attenuation as grey, on a square-root scale between black and white."""

    window: GreyWindow
    unit: str

    @property
    def ground(self) -> Theme:
        """The theme whose lines are seen on it."""
        return Theme.DARK

    @property
    def words(self) -> str:
        """Black and white in numbers."""
        window = self.window
        return f"black {window.black_per_cm:g}, white {window.white_per_cm:g} {self.unit}, square-root scale"

    @property
    def short_words(self) -> str:
        """What a bar of the colours does not tell."""
        return "square-root scale"

    @property
    def stops(self) -> tuple[tuple[int, int, int], ...]:
        """Black and white."""
        return (0, 0, 0), (255, 255, 255)

    def places(self, values: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return the brightness of each value."""
        return self.window.share(values)

    def ticks(self) -> list[float]:
        """Return round values inside the window."""
        return self.window.ticks_per_cm()


@dataclass(frozen=True)
class StraightScale:
    """Numbers as grey between two levels, as counts and transmission are shown."""

    low: float
    high: float
    unit: str

    @property
    def ground(self) -> Theme:
        """The theme whose lines are seen on it."""
        return Theme.DARK

    @property
    def words(self) -> str:
        """Black and white in numbers."""
        return f"black {_level_text(self.low)}, white {_level_text(self.high)} {self.unit}".strip()

    @property
    def short_words(self) -> str:
        """What a bar of the colours does not tell."""
        return ""

    @property
    def stops(self) -> tuple[tuple[int, int, int], ...]:
        """Black and white."""
        return (0, 0, 0), (255, 255, 255)

    def places(self, values: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return the brightness of each value."""
        share = (values - np.float32(self.low)) * np.float32(1 / (self.high - self.low))
        return np.asarray(np.clip(share, 0, 1, out=share), np.float32)

    def ticks(self) -> list[float]:
        """Return both levels."""
        return [self.low, self.high]


@dataclass(frozen=True)
class DifferenceScale:
    """Differences as blue (less) and orange (more), the same distance on both sides of zero."""

    largest: float
    unit: str

    @property
    def ground(self) -> Theme:
        """The theme whose lines are seen on it."""
        return Theme.LIGHT

    @property
    def words(self) -> str:
        """What the colours mean."""
        return f"orange: more attenuation than before, blue: less; {-self.largest:g} to {self.largest:g} {self.unit}"

    @property
    def short_words(self) -> str:
        """What a bar of the colours does not tell."""
        return "orange more, blue less"

    @property
    def stops(self) -> tuple[tuple[int, int, int], ...]:
        """Blue to orange."""
        return DIFFERENCE_COLOURS

    def places(self, values: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return places, 0.5 for no difference."""
        share = values * np.float32(0.5 / self.largest)
        share += np.float32(0.5)
        return np.asarray(np.clip(share, 0, 1, out=share), np.float32)

    def ticks(self) -> list[float]:
        """Return zero and round values on both sides of it."""
        return [self.largest * part / MAX_DIFFERENCE_TICKS for part in range(-MAX_DIFFERENCE_TICKS, 3)]


def difference_scale(window: GreyWindow, unit: str) -> DifferenceScale:
    """Choose a scale of differences that stays as long as the window of grey values does."""
    part = DIFFERENCE_SHARE * (window.white_per_cm - window.black_per_cm)
    return DifferenceScale(grey_window(np.array([0.0, part], np.float32)).white_per_cm, unit)


def _level_text(level: float) -> str:
    return f"{level:.0f}" if abs(level) >= 1000 else f"{level:.3g}"


def colour_table(scale: ColourScale) -> NDArray[np.uint32]:
    """Return `NUM_COLOURS` colours as 0xffRRGGBB: the first for what was not seen, then from place 0 to place 1."""
    stops = np.array(scale.stops, np.float64)
    at = np.linspace(0, len(stops) - 1, NUM_COLOURS - 1)
    parts = [np.interp(at, np.arange(len(stops)), stops[:, part]) for part in range(3)]
    colours = np.vstack([[NOT_SEEN], np.rint(np.stack(parts, axis=1))]).astype(np.uint32)
    return np.asarray(0xFF000000 | colours[:, 0] << 16 | colours[:, 1] << 8 | colours[:, 2], np.uint32)


def colour_index(scale: ColourScale, values: NDArray[np.float32]) -> NDArray[np.uint8]:
    """Return for each value its row in `colour_table`, 0 for what is not a number."""
    with np.errstate(all="ignore"):  # numbers of a damaged file may be of any size
        places = scale.places(values)
    places *= np.float32(NUM_COLOURS - 2)
    places += np.float32(1.5)
    return np.fmax(places, np.float32(0), out=places).astype(np.uint8)  # fmax prefers a number to NaN
