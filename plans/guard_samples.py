"""What the guard has sampled of the cell, as plans ask for it."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Protocol


class GuardSamples(Protocol):
    """The guard's potentiostat rows: mappings with ``id``, ``time_s``, ``voltage_v``, ``current_a`` and more."""

    def since(self, row: int) -> Sequence[Mapping[str, Any]]:
        """Return the rows after one, in order, with ``made_s``: when each was made, s of the run's clock."""

    def newest_first(self, row: int) -> Iterator[Mapping[str, Any]]:
        """Yield the rows after one from the newest back, one by one: a leg may hold a week of them."""
