"""How honest uncertainties are: how often the truth lies inside two of them, and how far off it is in their units."""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

INSIDE = 2.0  # uncertainties
ASKED_SHARE = 0.90
# Who carries one of these says himself that he is not to be judged: the scan or the declared cell was wrong.
NOT_JUDGED = frozenset({"cell_contradicted", "grey_values_not_absolute", "partial", "undersampled"})
# Any number of cracks may be too thin to be seen: where none is, their count is not measured. Their volume is.
UNKNOWN_BELOW_DETECTION = frozenset({"crack_count"})
# Told by instruments alone; everything else is told by pictures.
OF_INSTRUMENTS = frozenset(
    {
        "capacity",
        "charge",
        "coulombic_efficiency",
        "largest_pressure_fall",
        "lithium_thinning",
        "pressure_change",
        "pressure_change_stage1",
        "pressure_change_stage2",
        "pressure_fall",
        "pressure_slope_break",
        "slope_break_offset",
        "stack_pressure",
        "voltage",
        "voltage_step",
    }
)


@dataclass(frozen=True)
class Case:
    """One quantity, measured in one state of one cell; ``uncertainty`` is one standard deviation."""

    cell: str
    where: str
    name: str
    unit: str
    true: float
    measured: float
    uncertainty: float
    flags: tuple[str, ...]

    @property
    def error(self) -> float:
        """Measured less true, in the unit."""
        return self.measured - self.true

    @property
    def deviation(self) -> float:
        """Error in units of the uncertainty: infinite where a value that is wrong claims to be certain."""
        if self.error == 0:
            return 0.0
        return self.error / self.uncertainty if self.uncertainty > 0 else math.copysign(math.inf, self.error)

    @property
    def inside(self) -> bool:
        """Whether the truth lies inside two uncertainties."""
        return abs(self.deviation) <= INSIDE


@dataclass(frozen=True)
class Coverage:
    """What many cases of one quantity say: ``bias`` is the mean error in its unit, ``rms`` of the deviations."""

    name: str
    unit: str
    num_cases: int
    num_inside: int
    rms: float
    bias: float
    worst: Case

    @property
    def share(self) -> float:
        """Part of the cases with the truth inside."""
        return self.num_inside / self.num_cases


def judged_cases(cell: str, rows: Iterable[dict[str, Any]]) -> list[Case]:
    """Return the cases among the rows of a comparison: what is measured, has a truth and is to be judged."""
    return [
        Case(
            cell,
            row["tomogram"],
            row["name"],
            row["unit"],
            float(row["true"]),
            float(row["measured"]),
            float(row["uncertainty"]),
            tuple(row["flags"]),
        )
        for row in rows
        if row["true"] is not None and row["measured"] is not None and _is_judged(row["name"], set(row["flags"]))
    ]


def _is_judged(name: str, flags: set[str]) -> bool:
    unknown = name in UNKNOWN_BELOW_DETECTION and "below_detection" in flags
    return not unknown and not NOT_JUDGED & flags


def coverages(cases: Sequence[Case]) -> list[Coverage]:
    """Return the coverage of every quantity, in alphabetical order."""
    return [_coverage([case for case in cases if case.name == name]) for name in sorted({case.name for case in cases})]


def _coverage(cases: Sequence[Case]) -> Coverage:
    deviations = np.array([case.deviation for case in cases])
    return Coverage(
        cases[0].name,
        cases[0].unit,
        len(cases),
        sum(case.inside for case in cases),
        float(np.sqrt(np.mean(deviations**2))),
        float(np.mean([case.error for case in cases])),
        cases[int(np.argmax(np.abs(deviations)))],
    )


def share_inside(cases: Sequence[Case]) -> float:
    """Return the part of all cases with the truth inside two uncertainties; NaN of none."""
    return sum(case.inside for case in cases) / len(cases) if cases else math.nan
