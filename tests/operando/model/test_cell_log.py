"""What was committed is read again, in order, with its row id; what was not is never shown."""

from pathlib import Path

import pytest

from operando.model.cell_log import CellLogReader, CellLogWriter


def test_readers_see_committed_rows_only(tmp_path: Path) -> None:
    path = tmp_path / "cell.sqlite"
    writer = CellLogWriter(path)
    writer.commit()
    reader = CellLogReader(path)
    row = writer.sample("load_cell", time_s=10.0, wall_s=11.0, period_s=1.0, quality="OK", values=(5000.0, 735.0, 26.0))
    assert reader.last("load_cell") is None
    writer.commit()
    last = reader.last("load_cell")
    assert last is not None
    assert (last["id"], last["force_n"], last["stack_pressure_mpa"]) == (row, 735.0, 26.0)
    writer.event("note", "hello", time_s=12.0, wall_s=12.0, data={"person": "A"})
    writer.close()
    assert [event["text"] for event in reader.rows("events")] == ["hello"]
    reader.close()


def test_a_closed_log_is_one_plain_file(tmp_path: Path) -> None:
    writer = CellLogWriter(tmp_path / "cell.sqlite")
    writer.event("note", "hello", time_s=12.0, wall_s=12.0)
    writer.close()
    assert [path.name for path in tmp_path.iterdir()] == ["cell.sqlite"]


def test_rows_are_asked_for_by_id_and_time(tmp_path: Path) -> None:
    writer = CellLogWriter(tmp_path / "cell.sqlite")
    for second in range(5):
        writer.sample(
            "temperature", time_s=float(second), wall_s=0.0, period_s=1.0, quality="OK", values=(25.0 + second,)
        )
    writer.close()
    reader = CellLogReader(tmp_path / "cell.sqlite")
    assert [row["temperature_c"] for row in reader.rows("temperature", after_id=3)] == [28.0, 29.0]
    assert [row["id"] for row in reader.rows("temperature", since_s=2.5)] == [4, 5]
    assert [row["id"] for row in reader.rows("temperature", after_id=1, until_id=3)] == [2, 3]
    assert [row["id"] for row in reader.rows("temperature", since_s=0.5, max_num=2)] == [2, 3]
    assert [row["id"] for row in reader.newest_first("temperature", after_id=2)] == [5, 4, 3]
    for read in (reader.rows, reader.newest_first):
        with pytest.raises(KeyError, match="no table"):
            read("sqlite_master")
    reader.close()


def test_nan_is_kept_as_missing(tmp_path: Path) -> None:
    writer = CellLogWriter(tmp_path / "cell.sqlite")
    writer.sample("temperature", time_s=0.0, wall_s=0.0, period_s=1.0, quality="NAN", values=(None,))
    writer.close()
    reader = CellLogReader(tmp_path / "cell.sqlite")
    last = reader.last("temperature")
    assert last is not None
    assert last["temperature_c"] is None
    reader.close()
