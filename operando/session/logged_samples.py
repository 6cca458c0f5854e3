"""The guard's samples of the potentiostat, out of its log."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from operando.model.cell_log import CellLogReader
from operando.model.clock_track import placed_rows

TABLE = "potentiostat"


class LoggedSamples:
    """Reads them as `plans.guard_samples.GuardSamples` says."""

    def __init__(self, log: CellLogReader) -> None:
        self._log = log

    def since(self, row: int) -> Sequence[Mapping[str, Any]]:
        """Return the rows after one, in order, with the moment at which each was made."""
        return placed_rows(self._log, self._log.rows(TABLE, after_id=row))

    def newest_first(self, row: int) -> Iterator[Mapping[str, Any]]:
        """Yield the rows after one from the newest back."""
        return self._log.newest_first(TABLE, after_id=row)
