"""The one vocabulary for how a tomogram, a step or an experiment ended."""

from enum import StrEnum


class Outcome(StrEnum):
    """How it ended; the same word in stop document, file, report and terminal."""

    COMPLETE = "complete"
    PARTIAL = "partial"
    MISSED = "missed"
    ABORTED = "aborted"
    FAILED = "failed"


EXIT_STATUS = {
    Outcome.COMPLETE: "success",
    Outcome.PARTIAL: "fail",
    Outcome.MISSED: "fail",
    Outcome.FAILED: "fail",
    Outcome.ABORTED: "abort",
}
