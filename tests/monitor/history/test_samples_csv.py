import csv
import io
import locale

import numpy as np
import pytest

from operando.monitor.history.charge_unit import specific_charge
from operando.monitor.history.half_cycles import HalfCycle
from operando.monitor.history.samples_csv import ROWS_AT_ONCE, half_cycles_text, samples_text
from operando.monitor.history.table_history import TableHistory
from operando.monitor.history.trace import Trace
from operando.monitor.reading.run_view import DISPLAYS, Quantity

START_S = 1_700_000_000.0


def traces(*, electrical: list[float], press: list[float], temperature: list[float]) -> dict[Quantity, Trace]:
    """Return traces sampled at times since the start; a value is its time, and NaN every seventh of a second."""
    times = {"potentiostat": electrical, "load_cell": press, "temperature": temperature}
    histories = {table: TableHistory([d.column for d in DISPLAYS.values() if d.table == table]) for table in times}
    for table, history in histories.items():
        own = np.array(times[table], np.float64)
        values = np.where(own == 7.0, np.nan, own).astype(np.float32)
        history.append(START_S + own, np.repeat(values[:, np.newaxis], len(history._columns), axis=1))
    return {quantity: histories[display.table].trace(display.column) for quantity, display in DISPLAYS.items()}


def rows(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text)))


def test_there_is_one_row_per_time_with_units_and_empty_cells_for_what_was_not_sampled_then() -> None:
    known = traces(electrical=[0, 1, 2, 3, 7], press=[0, 2, 4], temperature=[])
    found = rows("".join(samples_text(known, START_S + 1.0, START_S + 7.0, START_S)))
    assert [row["time since start of run [s]"] for row in found] == ["1.000", "2.000", "3.000", "4.000", "7.000"]
    assert found[1]["time [s since 1970]"] == "1700000002.000"
    assert [row["voltage [V]"] for row in found] == ["1", "2", "3", "", ""]
    assert [row["stack pressure [MPa]"] for row in found] == ["", "2", "", "4", ""]
    assert {"current [A]", "charge [mAh]", "temperature [degC]"} <= found[0].keys()


def test_all_samples_are_written_in_order_some_thousand_at_a_time() -> None:
    num = ROWS_AT_ONCE + 17
    known = traces(electrical=list(range(num)), press=[time + 0.5 for time in range(num)], temperature=[3.0])
    parts = list(samples_text(known, START_S, START_S + num, START_S))
    assert max(part.count("\n") for part in parts) <= 2 * ROWS_AT_ONCE + 3
    times = [float(row["time since start of run [s]"]) for row in rows("".join(parts))]
    assert len(times) == 2 * num
    assert times == sorted(times)


def test_a_time_that_comes_twice_as_the_clock_was_set_back_has_two_rows() -> None:
    known = traces(electrical=[0, 1, 2, 1, 2, 3], press=[0, 1, 2, 1, 2, 3], temperature=[])
    found = rows("".join(samples_text(known, START_S, START_S + 9.0, START_S)))
    assert [row["stack pressure [MPa]"] for row in found] == ["0", "1", "1", "2", "2", "3"]


def test_half_cycles_are_written_with_charge_and_time_since_each_began() -> None:
    known = traces(electrical=[0, 1, 2, 3, 4], press=[], temperature=[])
    half_cycle = HalfCycle(3, 1, 4, START_S + 1.0, START_S + 3.0, 1.0, 2.0)
    found = rows("".join(half_cycles_text(known, [half_cycle], specific_charge(2.0))))
    assert [row["charge passed since it began [mAh/g]"] for row in found] == ["0", "500", "1000"]
    assert [row["time since it began [s]"] for row in found] == ["0.000", "1.000", "2.000"]
    assert {(row["cycle"], row["half cycle"]) for row in found} == {("3", "charge")}


def test_numbers_have_a_point_in_a_country_that_writes_commas() -> None:
    before = locale.setlocale(locale.LC_NUMERIC)
    try:
        locale.setlocale(locale.LC_NUMERIC, next(name for name in ("de_DE.UTF-8", "fr_FR.UTF-8") if _known(name)))
    except StopIteration:
        pytest.skip("this host knows no such country")
    try:
        known = traces(electrical=[0.25], press=[0.25], temperature=[0.25])
        assert list(samples_text(known, START_S, START_S + 1, START_S))[1] == (
            "0.250,1700000000.250,0.25,0.25,0.25,0.25,0.25\n"
        )
    finally:
        locale.setlocale(locale.LC_NUMERIC, before)


def _known(name: str) -> bool:
    try:
        locale.setlocale(locale.LC_NUMERIC, name)
    except locale.Error:
        return False
    return True
