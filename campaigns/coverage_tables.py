"""Tables of a study: every quantity on one line, what pictures tell apart from what instruments tell."""

from collections.abc import Sequence

from rich.box import SIMPLE_HEAD
from rich.table import Table

from campaigns.coverage import ASKED_SHARE, OF_INSTRUMENTS, Case, Coverage, coverages, share_inside
from operando.model.number_text import number_text

_STRETCHED, _NARROW = 0.25, 1.5  # an rms below or above it is far from 1


def coverage_tables(cases: Sequence[Case]) -> list[Table]:
    """Return one table of the quantities that pictures tell, and one of those that instruments tell."""
    of_pictures = [case for case in cases if case.name not in OF_INSTRUMENTS]
    of_instruments = [case for case in cases if case.name in OF_INSTRUMENTS]
    return [
        _table(f"{title}: truth inside two uncertainties in {share_text(chosen)}", coverages(chosen))
        for title, chosen in (("from pictures", of_pictures), ("from instruments", of_instruments))
        if chosen
    ]


def share_text(cases: Sequence[Case]) -> str:
    """Return how many of the cases have the truth inside."""
    return f"{sum(case.inside for case in cases)} of {len(cases)} cases, {share_inside(cases):.1%}"


def cases_table(cases: Sequence[Case]) -> Table:
    """Return every case on a line of its own."""
    table = _empty("every case")
    for heading in ("cell", "where", "quantity"):
        table.add_column(heading, overflow="fold")
    for heading in ("true", "measured", "error/\nuncertainty"):
        table.add_column(heading, justify="right", no_wrap=True)
    table.add_column("remarks", overflow="fold")
    for case in sorted(cases, key=lambda case: (case.name, case.cell)):
        remarks = [*(["OUTSIDE"] if not case.inside else []), *(flag.replace("_", " ") for flag in case.flags)]
        table.add_row(
            case.cell,
            case.where,
            _quantity(case.name, case.unit),
            number_text(case.true),
            number_text(case.measured, case.uncertainty),
            f"{case.deviation:+.2f}",
            ", ".join(remarks),
        )
    return table


def _table(title: str, found: Sequence[Coverage]) -> Table:
    table = _empty(title)
    table.add_column("quantity", overflow="fold")
    for heading in ("cases", "inside", "share", "rms of error/\nuncertainty", "mean error", "worst"):
        table.add_column(heading, justify="right", no_wrap=True)
    table.add_column("remarks", overflow="fold")
    for one in found:
        table.add_row(
            _quantity(one.name, one.unit),
            str(one.num_cases),
            str(one.num_inside),
            f"{one.share:.0%}",
            f"{one.rms:.2f}",
            f"{one.bias:+.3g}",
            f"{one.worst.deviation:+.2f}",
            _remark(one),
        )
    return table


def _remark(one: Coverage) -> str:
    if one.share < ASKED_SHARE:
        return f"BELOW {ASKED_SHARE:.0%}; worst: {one.worst.where} of {one.worst.cell}"
    if one.rms > _NARROW:
        return "uncertainty rather small"
    return "uncertainty rather large" if one.rms < _STRETCHED else ""


def _quantity(name: str, unit: str) -> str:
    return f"{name.replace('_', ' ')}, {unit}"


def _empty(title: str) -> Table:
    return Table(
        title=title, title_justify="left", box=SIMPLE_HEAD, pad_edge=False, padding=(0, 1), collapse_padding=True
    )
