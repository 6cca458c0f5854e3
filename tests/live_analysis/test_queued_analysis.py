"""The callback takes whatever comes, at once, and its thread measures every tomogram that has ended."""

import threading
from typing import Any

import pytest

from live_analysis.queued_analysis import QueuedAnalysis
from live_analysis.results import TomogramResults
from live_analysis.run_follower import TomogramRun

TIMEOUT_S = 10.0


def documents_of(uid: str, *, num_readings: int = 2) -> list[tuple[str, dict[str, Any]]]:
    cell = f"{uid} cell"
    return [
        ("start", {"uid": uid, "time": 1.0, "kind": "tomogram", "tomogram": "OCV", "attempt": 1}),
        ("descriptor", {"uid": cell, "run_start": uid, "name": "cell"}),
        *[("event", {"descriptor": cell, "time": 2.0, "data": {"cell_voltage": 1.7}}) for _ in range(num_readings)],
        ("stop", {"uid": f"{uid} stop", "time": 9.0, "run_start": uid, "exit_status": "success"}),
    ]


def counted(tomogram: TomogramRun) -> TomogramResults:
    cost_s = {"readings": float(len(tomogram.cell_readings))}
    return TomogramResults(tomogram.name, tomogram.attempt, tomogram.uid, (), cost_s=cost_s)


def test_each_tomogram_is_measured_once_and_in_order() -> None:
    finished: list[TomogramResults] = []
    analysis = QueuedAnalysis(counted, finished.append)
    for document in [*documents_of("a"), *documents_of("b", num_readings=3), documents_of("a")[-1]]:
        analysis(*document)
    assert analysis.close(TIMEOUT_S)
    assert [(results.raw_run, results.cost_s["readings"]) for results in finished] == [("a", 2.0), ("b", 3.0)]
    assert (analysis.num_queued, analysis.num_dropped, analysis.num_damaged) == (0, 0, 0)


def test_a_full_queue_drops_events_and_counts_them_but_no_tomogram_is_lost() -> None:
    begun, go_on = threading.Event(), threading.Event()
    finished: list[TomogramResults] = []

    def slow(tomogram: TomogramRun) -> TomogramResults:
        begun.set()
        assert go_on.wait(TIMEOUT_S)
        return counted(tomogram)

    analysis = QueuedAnalysis(slow, finished.append, max_queued=10)
    for document in documents_of("a"):
        analysis(*document)
    assert begun.wait(TIMEOUT_S)
    for document in documents_of("b", num_readings=100):
        analysis(*document)
    assert analysis.num_dropped == 92  # start and descriptor wait, then 8 of 100 events make 10
    go_on.set()
    assert analysis.close(TIMEOUT_S)
    assert [results.cost_s["readings"] for results in finished] == [2.0, 8.0]


def test_what_the_analysis_raises_is_the_failure_of_its_results_and_the_next_is_measured() -> None:
    finished: list[TomogramResults] = []

    def fails_once(tomogram: TomogramRun) -> TomogramResults:
        if tomogram.uid == "a":
            raise ZeroDivisionError("no flat")
        return counted(tomogram)

    analysis = QueuedAnalysis(fails_once, finished.append)
    for document in [*documents_of("a"), *documents_of("b")]:
        analysis(*document)
    assert analysis.close(TIMEOUT_S)
    assert [results.failure for results in finished] == ["ZeroDivisionError: no flat", ""]


def test_whoever_takes_the_results_may_fail_without_ending_the_analysis() -> None:
    taken: list[str] = []

    def take(results: TomogramResults) -> None:
        taken.append(results.raw_run)
        raise RuntimeError("nobody listens")

    analysis = QueuedAnalysis(counted, take)
    for document in [*documents_of("a"), *documents_of("b")]:
        analysis(*document)
    assert analysis.close(TIMEOUT_S)
    assert taken == ["a", "b"]


@pytest.mark.parametrize(
    "damaged",
    [
        ("start", {}),
        ("start", {"uid": "x", "kind": "tomogram", "attempt": float("inf")}),
        ("event_page", {"descriptor": "a cell", "time": [1.0], "data": [1, 2]}),
        ("stream_datum", {"descriptor": "a cell", "indices": None}),
        ("stop", {"run_start": ["a"]}),
        ("stop", None),
    ],
)
def test_a_damaged_document_neither_raises_nor_ends_the_analysis(damaged: tuple[str, Any]) -> None:
    finished: list[TomogramResults] = []
    analysis = QueuedAnalysis(counted, finished.append)
    documents = documents_of("a")
    for document in [*documents[:-1], damaged, documents[-1]]:
        analysis(*document)
    assert analysis.close(TIMEOUT_S)
    assert [results.raw_run for results in finished] == ["a"]


def test_documents_after_the_end_are_counted_and_closing_twice_is_allowed() -> None:
    analysis = QueuedAnalysis(counted, lambda results: None)
    assert analysis.close(TIMEOUT_S)
    analysis(*documents_of("a")[0])
    assert analysis.num_dropped == 1
    assert analysis.close(TIMEOUT_S)


def test_closing_gives_up_at_its_deadline_and_begins_no_further_tomogram() -> None:
    begun, go_on = threading.Event(), threading.Event()
    finished: list[TomogramResults] = []

    def slow(tomogram: TomogramRun) -> TomogramResults:
        begun.set()
        assert go_on.wait(TIMEOUT_S)
        return counted(tomogram)

    analysis = QueuedAnalysis(slow, finished.append)
    for document in [*documents_of("a"), *documents_of("b")]:
        analysis(*document)
    assert begun.wait(TIMEOUT_S)
    assert not analysis.close(0.05)
    go_on.set()
    assert analysis.close(TIMEOUT_S)
    assert [results.raw_run for results in finished] == ["a"]
