"""What was measured is written as valid bluesky documents and comes back as it was."""

import json
import tempfile
from pathlib import Path

import pytest
from event_model import DocumentNames, schema_validators
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from live_analysis.results import ResultsWriter, TomogramResults, read_analysis_runs, read_measurements
from operando.model.clock import SystemClock
from operando.model.json_lines import read_json_lines
from operando.model.measurement import Measurement
from tests.support.strange_json import damaged

numbers = st.floats(allow_nan=False, allow_infinity=False)
measurements = st.builds(
    Measurement,
    tomogram=st.text(max_size=20),
    name=st.sampled_from(["voltage", "high_attenuation_volume"]),
    value=numbers,
    unit=st.text(max_size=5),
    uncertainty=numbers,
    run_uid=st.text(max_size=10),
    time=numbers,
    num_frames=st.integers(0, 10_000),
    flags=st.lists(st.text(max_size=10), max_size=3).map(tuple),
    details=st.dictionaries(st.text(max_size=5), numbers, max_size=2),
)


def voltage(value_v: float, *, replaces: str | None = None) -> Measurement:
    return Measurement("OCV", "voltage", value_v, "V", 1e-4, "raw", 10.0, 360, replaces=replaces)


def write(path: Path, results: TomogramResults) -> None:
    writer = ResultsWriter(path, SystemClock())
    writer.write(results)
    writer.close()


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(measurements, max_size=4))
def test_measurements_come_back_as_they_were_written(tmp_path: Path, written: list[Measurement]) -> None:
    path = tmp_path / "results.jsonl"
    path.unlink(missing_ok=True)
    write(path, TomogramResults("OCV", 1, "raw", tuple(written)))
    assert read_measurements(path) == written


def test_the_documents_are_valid_for_every_reader_of_bluesky_documents(tmp_path: Path) -> None:
    path = tmp_path / "results.jsonl"
    write(path, TomogramResults("OCV", 1, "raw", (voltage(2.1),), failure="No beam."))
    documents = read_json_lines(path)
    assert [name for name, _ in documents] == ["start", "descriptor", "event", "descriptor", "event", "stop"]
    for name, document in documents:
        schema_validators[DocumentNames[name]].validate(document)
    assert documents[0][1]["raw_run"] == "raw"
    assert documents[-1][1]["exit_status"] == "fail"
    assert documents[-1][1]["num_events"] == {"measurements": 1, "analysis_failed": 1}


def test_a_replaced_value_is_left_out_unless_asked_for(tmp_path: Path) -> None:
    path = tmp_path / "results.jsonl"
    write(path, TomogramResults("OCV", 1, "raw", (voltage(2.1),)))
    (old,) = read_analysis_runs(path)[0].events
    write(path, TomogramResults("OCV", 1, "raw", (voltage(2.2, replaces=old),)))
    assert [entry.value for entry in read_measurements(path)] == [2.2]
    assert [entry.value for entry in read_measurements(path, with_replaced=True)] == [2.1, 2.2]


@pytest.mark.parametrize("num_kept", [1, 2, 3])
def test_a_run_cut_off_by_a_kill_counts_as_never_begun(tmp_path: Path, num_kept: int) -> None:
    path = tmp_path / "results.jsonl"
    write(path, TomogramResults("OCV", 1, "raw", (voltage(2.1),)))
    lines = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(b"".join(lines[:num_kept]) + lines[num_kept][:15])
    assert read_analysis_runs(path) == []
    write(path, TomogramResults("OCV", 1, "raw", (voltage(2.1),)))
    assert [entry.value for entry in read_measurements(path)] == [2.1]


def test_what_a_repeated_analysis_did_not_come_to_no_longer_holds(tmp_path: Path) -> None:
    path = tmp_path / "results.jsonl"
    shift = Measurement("OCV", "interface_shift", 34.0, "um", 1.0, "raw", 10.0, 360)
    write(path, TomogramResults("OCV", 1, "raw", (voltage(2.1), shift)))
    write(path, TomogramResults("OCV", 1, "raw", (voltage(2.2),), failure="No beam."))
    assert shift in read_measurements(path)  # the second analysis failed: nothing better is known
    write(path, TomogramResults("OCV", 1, "raw", (voltage(2.3),)))
    assert [entry.name for entry in read_measurements(path)] == ["voltage"]
    assert shift in read_measurements(path, with_replaced=True)


@settings(max_examples=80, deadline=None)
@given(st.data())
def test_a_damaged_document_costs_no_other_run(data: st.DataObject) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "results.jsonl"
        write(path, TomogramResults("OCV", 1, "raw-1", (voltage(2.3),)))
        num_of_first = len(read_json_lines(path))
        write(path, TomogramResults("D1.2V", 2, "raw-2", (voltage(1.2),)))
        lines = read_json_lines(path)
        index = data.draw(st.integers(num_of_first, len(lines) - 1))
        lines[index] = data.draw(damaged(lines[index]))
        path.write_text("".join(json.dumps(line) + "\n" for line in lines))
        assert [run.raw_run for run in read_analysis_runs(path)][:1] == ["raw-1"]
        assert read_measurements(path)[0].value == 2.3
