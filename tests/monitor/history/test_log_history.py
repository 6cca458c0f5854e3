import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from operando.model.cell_log import CellLogWriter
from operando.monitor.history import rough_past, table_reader
from operando.monitor.history.log_history import LogHistory
from operando.monitor.history.table_reader import TableReader

COLUMNS = {"load_cell": ("force_n", "stack_pressure_mpa"), "temperature": ("temperature_c",)}
PERIOD_S = 0.5
AT_ONCE_S = 60.0  # as long as anything takes
PAGE_BYTES = 4096


class Writer:
    """Plays the guard; the pressure of each sample is its number."""

    def __init__(self, path: Path) -> None:
        self.log = CellLogWriter(path)
        self.num = 0
        self.log.event("guard", "Started.", time_s=0.0, wall_s=0.0)
        self.log.commit()

    def commit(self, num: int) -> None:
        for _ in range(num):
            when = {"time_s": 1e9 + PERIOD_S * self.num, "wall_s": 2e9 + self.num, "period_s": PERIOD_S}
            missing = None if self.num % 7 == 3 else 0.5 * self.num
            self.log.sample("load_cell", quality="OK", values=(1.0, missing, float(self.num)), **when)
            self.log.sample("temperature", quality="OK", values=(25.0,), **when)
            self.num += 1
        self.log.commit()


@pytest.fixture
def small_portions(monkeypatch: pytest.MonkeyPatch) -> None:
    in_small_portions(monkeypatch)


def in_small_portions(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make 500 rows a long table."""
    for name, value in {"ROWS_AT_ONCE": 64, "LEAST_ROWS_AT_ONCE": 4, "SHORT_TABLE_ROWS": 60}.items():
        monkeypatch.setattr(table_reader, name, value)
    for name, value in {
        "ROWS_IN_BIN": 16,
        "NUM_SPARSE_BINS": 8,
        "ROWS_IN_SPARSE_BIN": 3,
        "SPARSE_BINS_AT_ONCE": 3,
        "BINS_AT_ONCE": 3,
    }.items():
        monkeypatch.setattr(rough_past, name, value)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "cell.sqlite"


def written(path: Path, num: int) -> Path:
    writer = Writer(path)
    writer.commit(num)
    writer.log.close()
    return path


@pytest.fixture
def history(path: Path) -> Iterator[LogHistory]:
    opened = LogHistory(path, COLUMNS)
    yield opened
    opened.close()


def pressures(history: LogHistory) -> list[float]:
    return [float(value) for value in history.traces()["load_cell", "stack_pressure_mpa"].values]


@given(
    st.lists(
        st.one_of(
            st.tuples(st.just("commit"), st.integers(1, 150)), st.tuples(st.sampled_from(["new", "older"]), st.just(0))
        ),
        max_size=40,
    )
)
def test_whatever_the_writer_commits_between_two_readings_no_row_is_lost_or_read_twice(
    course: list[tuple[str, int]],
) -> None:
    with TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as monkeypatch:
        in_small_portions(monkeypatch)
        path = Path(folder) / "cell.sqlite"
        writer, reader = Writer(path), TableReader("load_cell", COLUMNS["load_cell"])
        with closing(sqlite3.connect(f"{path.as_uri()}?mode=ro", uri=True, isolation_level=None)) as log:
            for action, num in [*course, ("new", 0)]:
                if action == "commit":
                    writer.commit(num)
                elif action == "new":
                    while reader.read_new(log):
                        pass
                elif reader.num_unread:
                    reader.read_older(log)
                trace = reader.traces(1)["stack_pressure_mpa"]
                assert np.all(np.diff(trace.values) == 1.0)  # without a hole at any time, as far as it goes
                assert trace.unread is None or trace.unread.num_rows + len(trace) <= writer.num
            while reader.num_unread:
                reader.read_older(log)
        writer.log.close()
        trace = reader.traces(1)["stack_pressure_mpa"]
        assert trace.values.tolist() == list(range(writer.num))
        assert np.array_equal(trace.times_s, 1e9 + PERIOD_S * np.arange(writer.num))
        forces = reader.traces(1)["force_n"].values
        assert np.flatnonzero(np.isnan(forces)).tolist() == list(range(3, writer.num, 7))
        assert reader.newest is None or (reader.newest.time_s, reader.newest.wall_s) == (
            1e9 + PERIOD_S * (writer.num - 1),
            2e9 + writer.num - 1,
        )


@pytest.mark.usefixtures("small_portions")
def test_of_a_long_log_the_whole_length_is_known_before_all_rows_are(path: Path) -> None:
    written(path, 500)
    reader = TableReader("load_cell", COLUMNS["load_cell"])
    with closing(sqlite3.connect(path)) as log:
        reader.read_new(log)
        reader.read_older(log)
        sparse = reader.traces(1)["stack_pressure_mpa"]
        assert (len(sparse), sparse.unread is not None and sparse.unread.is_sparse) == (0, True)
        trace = sparse
        while len(trace) == 0:
            reader.read_older(log)
            trace = reader.traces(1)["stack_pressure_mpa"]
    unread = trace.unread
    assert unread is not None
    assert not unread.is_sparse
    assert (unread.begin_s, unread.end_s, unread.num_rows) == (1e9, 1e9 + PERIOD_S * 436, 436)
    assert trace.values.tolist() == list(range(436, 500))
    assert trace.preliminary.lows.tolist() == list(range(0, 436, 16))
    assert trace.preliminary.highs.tolist() == list(range(15, 448, 16))
    assert trace.value_range(-np.inf, np.inf) == (0.0, 499.0)


@pytest.mark.usefixtures("small_portions")
def test_without_a_budget_only_what_comes_is_read(path: Path, history: LogHistory) -> None:
    writer = Writer(path)
    writer.commit(100)
    history.update(0.0)
    assert history.newest["load_cell"].values["stack_pressure_mpa"] == 99.0
    writer.commit(5)
    history.update(0.0)
    assert pressures(history) == [100.0, 101.0, 102.0, 103.0, 104.0]
    assert not history.is_complete
    history.update(AT_ONCE_S)
    assert pressures(history) == list(range(105))
    assert history.is_complete
    writer.log.close()


def test_a_log_that_comes_later_goes_and_comes_back_is_followed(path: Path, history: LogHistory) -> None:
    history.update(AT_ONCE_S)
    assert not history.problems
    written(path, 10)
    history.update(AT_ONCE_S)
    path.rename(path.with_suffix(".away"))
    history.update(AT_ONCE_S)
    assert list(history.problems) == ["is gone; what was read of it is shown"]
    assert len(pressures(history)) == 10
    path.with_suffix(".away").rename(path)
    writer = Writer(path)
    writer.num = 10
    writer.commit(5)
    history.update(AT_ONCE_S)
    assert pressures(history) == list(range(15))
    assert (list(history.problems), history.generation) == ([], 1)
    writer.log.close()


@pytest.mark.parametrize("in_place", [True, False])
def test_a_log_that_is_replaced_is_read_anew(path: Path, history: LogHistory, tmp_path: Path, in_place: bool) -> None:
    written(path, 40)
    history.update(AT_ONCE_S)
    other = written(tmp_path / "other.sqlite", 25)
    if in_place:
        history.close()
        shutil.copyfile(other, path)
    else:
        other.rename(path)
    history.update(AT_ONCE_S)
    assert pressures(history) == list(range(25))
    assert history.generation == 2


def test_a_log_without_tables_or_rows_is_waited_for(path: Path, history: LogHistory) -> None:
    path.touch()
    history.update(AT_ONCE_S)
    writer = Writer(path)
    history.update(AT_ONCE_S)
    assert (pressures(history), history.newest) == ([], {})
    writer.commit(3)
    history.update(AT_ONCE_S)
    assert pressures(history) == [0.0, 1.0, 2.0]
    writer.log.close()


def test_what_is_no_database_is_an_error_each_time(path: Path, history: LogHistory) -> None:
    path.write_text("long enough to look like one " * 100)
    for _ in range(2):
        with pytest.raises(sqlite3.DatabaseError, match="not a database"):
            history.update(AT_ONCE_S)


def test_text_and_infinity_in_columns_of_numbers_are_missing_values(path: Path, history: LogHistory) -> None:
    written(path, 20)
    with closing(sqlite3.connect(path)) as log:
        log.execute("UPDATE load_cell SET stack_pressure_mpa = 'much' WHERE id = 5")
        log.execute("UPDATE load_cell SET stack_pressure_mpa = x'ff00' WHERE id = 6")
        log.execute("UPDATE load_cell SET stack_pressure_mpa = 1e300 WHERE id = 7")
        log.execute("UPDATE load_cell SET time_s = 'late' WHERE id = 8")
        log.commit()
    history.update(AT_ONCE_S)
    found = np.array(pressures(history))
    assert np.flatnonzero(np.isnan(found)).tolist() == [4, 5, 6]
    assert len(found) == 19


def test_ids_with_wide_holes_are_no_trouble(path: Path, history: LogHistory) -> None:
    written(path, 20)
    with closing(sqlite3.connect(path)) as log:
        log.execute("UPDATE load_cell SET id = id + 1000000000000000 WHERE id > 10")
        log.commit()
    history.update(AT_ONCE_S)
    assert pressures(history) == list(range(20))
    with closing(sqlite3.connect(path)) as log:
        log.execute(
            "INSERT INTO load_cell SELECT 9000000000000000000, time_s + 99, wall_s, 1, 'OK', 1, 1, 20 FROM "
            "load_cell ORDER BY id DESC LIMIT 1"
        )
        log.commit()
    history.update(AT_ONCE_S)
    assert pressures(history) == list(range(21))


def test_damage_in_the_middle_leaves_a_gap_and_is_counted(path: Path, history: LogHistory) -> None:
    written(path, 3000)
    content = bytearray(path.read_bytes())
    middle = len(content) // PAGE_BYTES // 2 * PAGE_BYTES
    content[middle : middle + PAGE_BYTES] = b"\xa5" * PAGE_BYTES
    path.write_bytes(content)
    history.update(AT_ONCE_S)
    traces = {name: history.traces()[name].values for name in (("load_cell", "stack_pressure_mpa"),)}
    traces |= {("temperature", "temperature_c"): history.traces()["temperature", "temperature_c"].values}
    damaged = next(values for values in traces.values() if np.isnan(values).any())
    assert 3000 - 600 < np.isfinite(damaged).sum() < 3000  # a page holds less than 100 rows, of which all are lost
    assert "damaged and left out" in " ".join(history.problems)
    assert history.is_complete


def test_a_copy_that_was_cut_off_is_read_as_far_as_it_goes(path: Path, history: LogHistory) -> None:
    written(path, 3000)
    content = path.read_bytes()
    path.write_bytes(content[: len(content) * 2 // 3])
    history.update(AT_ONCE_S)
    found = pressures(history)
    assert 1000 < len(found) < 3000
    assert found == list(range(len(found)))
    assert "damaged" in " ".join(history.problems)


@given(
    st.lists(st.tuples(st.floats(0, 1, exclude_max=True), st.binary(min_size=1, max_size=40)), min_size=1, max_size=6)
)
def test_no_damage_of_any_kind_is_more_than_an_error_that_sqlite_tells(damage: list[tuple[float, bytes]]) -> None:
    with TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as monkeypatch:
        in_small_portions(monkeypatch)
        path = written(Path(folder) / "cell.sqlite", 400)
        content = bytearray(path.read_bytes())
        for place, noise in damage:
            begin = int(place * len(content))
            content[begin : begin + len(noise)] = noise[: len(content) - begin]
        path.write_bytes(content)
        with closing(LogHistory(path, COLUMNS)) as history:
            for _ in range(3):
                try:
                    history.update(5.0)
                except sqlite3.Error:
                    continue
            for trace in history.traces().values():
                trace.visible(0.0, 2e9, 100)
                trace.value_range(-np.inf, np.inf)
