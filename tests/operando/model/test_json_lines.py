"""Lines written are read again in order; torn and damaged ones never stop a reader."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from operando.model import json_lines
from operando.model.json_lines import JsonLinesReader, JsonLinesWriter, read_json_lines


def test_a_reader_sees_each_value_once_while_the_file_grows(tmp_path: Path) -> None:
    path = tmp_path / "lines.jsonl"
    reader = JsonLinesReader(path)
    assert list(reader.new_values()) == []
    writer = JsonLinesWriter(path)
    writer.append(["start", {"value": np.float32(1.5), "list": np.arange(3)}])
    assert list(reader.new_values()) == [["start", {"value": 1.5, "list": [0, 1, 2]}]]
    writer.append({"second": True})
    assert list(reader.new_values()) == [{"second": True}]
    writer.close()


def test_a_torn_last_line_is_ignored_and_closed_by_the_next_writer(tmp_path: Path) -> None:
    path = tmp_path / "lines.jsonl"
    path.write_text('{"whole": 1}\n{"torn": ')
    assert read_json_lines(path) == [{"whole": 1}]
    writer = JsonLinesWriter(path)
    writer.append({"after": 2})
    writer.close()
    reader = JsonLinesReader(path)
    assert list(reader.new_values()) == [{"whole": 1}, {"after": 2}]
    assert reader.num_damaged == 1


@given(st.binary(max_size=200))
def test_no_bytes_break_the_reader(content: bytes) -> None:
    import tempfile

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "lines.jsonl"
        path.write_bytes(content)
        read_json_lines(path)


def test_nesting_without_end_and_a_line_without_end_are_left_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(json_lines, "MAX_LINE_BYTES", 200_000)
    path = tmp_path / "lines.jsonl"
    path.write_bytes(
        b'{"before": 1}\n' + b"[" * 100_000 + b"\n" + b"1" * 1_000_000 + b'\n{"after": 2}\n' + b"2" * 300_000
    )
    reader = JsonLinesReader(path)
    assert list(reader.new_values()) == [{"before": 1}, {"after": 2}]
    assert reader.num_damaged == 3  # the last one has no end yet, and is too long already
    with path.open("ab") as file:
        file.write(b'\n{"later": 3}\n')
    assert list(reader.new_values()) == [{"later": 3}]
    assert reader.num_damaged == 3


def test_a_line_without_end_is_read_once_and_left_for_later_where_time_is_short(tmp_path: Path) -> None:
    path = tmp_path / "lines.jsonl"
    path.write_bytes(b"x" * 10_500)
    reader, num_asked = JsonLinesReader(path, longest_bytes=1000), 0

    def enough() -> bool:
        nonlocal num_asked
        num_asked += 1
        return num_asked % 4 == 0

    for num_parts in (4, 8, 11, 11):
        assert list(reader.new_values(enough)) == []
        assert num_asked == num_parts
    with path.open("ab") as file:
        file.write(b'y\n{"after": 1}\n')
    assert list(reader.new_values()) == [{"after": 1}]
    assert reader.num_damaged == 1


def test_a_reader_tells_whether_there_is_more_than_it_had_time_for(tmp_path: Path) -> None:
    path = tmp_path / "lines.jsonl"
    path.write_text("1\n2\n")
    reader = JsonLinesReader(path)
    found: list[list[int]] = []
    while not found or reader.has_more:
        found.append(list(reader.new_values(lambda: True)))
    assert found == [[1], [2], []]


def test_another_file_in_the_place_of_the_first_and_one_that_was_cut_off_are_noticed(tmp_path: Path) -> None:
    path = tmp_path / "lines.jsonl"
    path.write_text("1\n2\n")
    reader = JsonLinesReader(path)
    assert not reader.is_another  # nothing was read yet
    assert list(reader.new_values()) == [1, 2]
    assert not reader.is_another
    (tmp_path / "other").write_text("1\n2\n3\n")
    (tmp_path / "other").rename(path)
    assert reader.is_another
    reader = JsonLinesReader(path)
    assert list(reader.new_values()) == [1, 2, 3]
    path.write_text("1\n")
    assert reader.is_another
    path.unlink()
    assert (reader.is_gone, reader.is_another) == (True, False)
