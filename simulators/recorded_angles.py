"""The list of angles beside a folder of TIFFs: one number for each projection, whatever else was written around it."""

import re
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from simulators.recorded_data import AngleUnit, RecordedScanError, angles_in_degrees

ANGLE_FILES = ("angles.txt", "angles.csv", "angles.dat", "theta.txt")
MAX_BYTES = 2**26  # a hundred for each of the frames that a file may hold
ANGLE_WORDS, ANGLE_ENDINGS = ("angle", "theta", "rotation"), (".txt", ".csv", ".dat")


def angles_beside(folder: Path, num_projections: int, unit: AngleUnit | None) -> tuple[NDArray[np.float64], str]:
    """Return one angle in degrees for each projection, and what was left out as a sentence (empty if nothing).

    A heading, comments after ``#`` and a first column that only counts are passed over. More entries than projections,
    as raw scans have them when angles were also written during flats and darks, are cut off both ends if the stage
    stood still there.

    Raises
    ------
    RecordedScanError
        If there is no such file, or if its numbers do not belong to the projections.
    """
    path = _angle_file(folder)
    if path is None:
        raise RecordedScanError(
            f"{folder}: there is no file of angles, and none are assumed. Write {ANGLE_FILES[0]} with one angle in "
            f"degrees for each of the {num_projections} projections; even steps over a half turn are "
            f"numpy.savetxt('{ANGLE_FILES[0]}', numpy.linspace(0, 180, {num_projections}))."
        )
    angles = _single_column(path)
    surplus = len(angles) - num_projections
    if surplus == 0:
        return angles_in_degrees(angles, unit, str(path)), ""
    cut = surplus // 2
    kept = angles[cut : len(angles) - cut]
    if surplus < 0 or surplus % 2 or not _stood_still(angles, cut):
        raise RecordedScanError(
            f"{path}: {len(angles)} angles for {num_projections} projections. Give one angle for each projection "
            "(an even surplus is cut from both ends if the angle does not change there)."
        )
    note = (
        f"{path.name} has {len(angles)} angles for {num_projections} projections; the first and last {cut}, during "
        "which the stage stood still, were taken to belong to flats and darks and left out."
    )
    return angles_in_degrees(kept, unit, str(path)), note


def _angle_file(folder: Path) -> Path | None:
    """Return the file of one of the usual names, else the only text file that is named after angles.

    Raises
    ------
    RecordedScanError
        If several files may be meant.
    """
    for name in ANGLE_FILES:
        if (folder / name).is_file():
            return folder / name
    found = sorted(
        path
        for path in folder.iterdir()
        if path.suffix.lower() in ANGLE_ENDINGS and any(word in path.stem.lower() for word in ANGLE_WORDS)
    )
    if len(found) > 1:
        raise RecordedScanError(
            f"{folder}: {', '.join(path.name for path in found)} may all hold the angles; call the right one "
            f"{ANGLE_FILES[0]}."
        )
    return found[0] if found else None


def _single_column(path: Path) -> NDArray[np.float64]:
    try:
        if (size := path.stat().st_size) > MAX_BYTES:
            raise RecordedScanError(
                f"{path}: has {size} bytes; no list of angles has more than {MAX_BYTES}. Put the list of angles there."
            )
        text = path.read_text(encoding="utf-8-sig", errors="replace")
    except OSError as error:
        raise RecordedScanError(f"{path}: cannot be read ({error.strerror}). Put the list of angles there.") from error
    lines = [line.split("#")[0] for line in text.splitlines()]
    rows = [words for line in lines if (words := [word for word in re.split(r"[\s,;]+", line) if word])]
    if len(rows) > 1 and not any(_is_number(word) for word in rows[0]):
        rows = rows[1:]
    try:
        numbers = [[float(word) for word in row] for row in rows]
    except ValueError as error:
        raise RecordedScanError(f"{path}: {error}. Write one angle for each projection, as plain numbers.") from error
    widths = {len(row) for row in numbers}
    if len(numbers) > 1 and widths == {2} and _only_counts([row[0] for row in numbers]):
        return np.array([row[1] for row in numbers])
    if len(numbers) > 1 and widths != {1}:
        raise RecordedScanError(
            f"{path}: has up to {max(widths)} numbers on a line, so nobody knows which of them is the angle. Write one "
            "angle on each line."
        )
    return np.array([number for row in numbers for number in row])


def _is_number(word: str) -> bool:
    try:
        float(word)
    except ValueError:
        return False
    return True


def _only_counts(numbers: list[float]) -> bool:
    return bool(np.all(np.diff(numbers) == 1.0)) and numbers[0] in (0.0, 1.0)


def _stood_still(angles: NDArray[np.float64], cut: int) -> bool:
    """Whether what would be cut off each end, and the first angle that is kept there, agree within half a step."""
    step = float(np.median(np.abs(np.diff(angles[cut : len(angles) - cut])))) if len(angles) > 2 * cut + 1 else 0.0
    ends = angles[: cut + 1], angles[len(angles) - cut - 1 :]
    return all(float(np.ptp(end)) < step / 2 for end in ends)
