import asyncio
from pathlib import Path

import pytest

from operando.model.clock import ClockPage
from simulators.beamline import SimulationError, run_simulated_beamline
from simulators.cell_parameters import load_cell
from simulators.cell_twin import CellTwin
from simulators.past import Past, PastWriter, read_past
from simulators.potentiostat_channel import Channel
from simulators.potentiostat_records import ARRAYS, SCALARS
from simulators.potentiostat_technique import Technique

ROOT = Path(__file__).parents[2]
BEGAN_S = 1.7e9


def technique(name: str, **parameters: float) -> Technique:
    """A technique with all that the instrument must be told, its tests off."""
    every = dict(SCALARS[name]) | dict.fromkeys(ARRAYS.get(name, {}), 0.0)
    return Technique(name, {**every, "STEPN": 0, "EXITCOND": 1, **parameters})


DISCHARGE = technique(
    "CPLIMIT", ISTEP=-57.6e-6, DURSTEP=72_000.0, TEST1CONF=1, TEST1VAL=1.9, IRANGE=8
)  # until E <= 1.9 V
HOLD = technique("CA", VSTEP=1.9, DURSTEP=600.0)


def channel() -> Channel:
    cell = CellTwin(load_cell(ROOT / "experiments" / "cus_26mpa.cell.toml"), BEGAN_S)
    return Channel(cell, BEGAN_S, 1e-3)


def writer(path: Path) -> PastWriter:
    return PastWriter(path, BEGAN_S, lambda: {"rotation": 90.0})


def test_an_instrument_that_obeys_its_past_once_more_is_where_the_first_one_is(tmp_path: Path) -> None:
    first, written = channel(), writer(tmp_path / "past.jsonl")
    for number, current_s in enumerate((600.0, 900.0)):
        first.load([DISCHARGE, HOLD])
        written.obeyed(BEGAN_S + current_s, "load", [DISCHARGE, HOLD])
        first.start(BEGAN_S + current_s)
        written.obeyed(BEGAN_S + current_s, "start")
        if number == 0:
            first.stop(BEGAN_S + 700.0)
            written.obeyed(BEGAN_S + 700.0, "stop")
    past = read_past(tmp_path / "past.jsonl")
    assert past is not None
    second = channel()
    past.repeat(second)
    for hours in (0.5, 3.0, 9.0):
        for each in (first, second):
            each.advance(BEGAN_S + hours * 3600)
        assert second.cell.reading(BEGAN_S + hours * 3600) == first.cell.reading(BEGAN_S + hours * 3600)
        assert (second.running, second.index, second.transition_s) == (first.running, first.index, first.transition_s)


def test_where_things_stand_is_written_when_it_changes_and_read_as_it_was_last(tmp_path: Path) -> None:
    places = {"rotation": 0.0, "shutter_open": True}
    written = PastWriter(tmp_path / "past.jsonl", BEGAN_S, lambda: places)
    asyncio.run(written.look(BEGAN_S + 1))
    places["rotation"] = 180.0
    for time_s in (2, 3, 4):
        asyncio.run(written.look(BEGAN_S + time_s))
    past = read_past(tmp_path / "past.jsonl")
    assert past == Past(BEGAN_S, BEGAN_S + 2, (), {"rotation": 180.0, "shutter_open": True})
    assert len((tmp_path / "past.jsonl").read_text().splitlines()) == 3


def test_a_torn_last_line_of_the_past_is_what_was_not_answered(tmp_path: Path) -> None:
    written = writer(tmp_path / "past.jsonl")
    written.obeyed(BEGAN_S + 1, "stop")
    with (tmp_path / "past.jsonl").open("a") as file:
        file.write('{"time_s": 1700000002.0, "obeyed": "sta')
    past = read_past(tmp_path / "past.jsonl")
    assert past is not None
    assert [entry.command for entry in past.obeyed] == ["stop"]


def test_nothing_goes_on_where_no_beamline_was(tmp_path: Path) -> None:
    ClockPage(tmp_path / "clock.page", create=True)
    with pytest.raises(SimulationError, match="no simulated beamline has served from here"):
        run_simulated_beamline(ROOT / "tests" / "system" / "short.toml", "quick", tmp_path, goes_on=True)
