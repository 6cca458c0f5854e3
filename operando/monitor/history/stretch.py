"""Which stretch of a run a person looks at, and how it changes by what the person does."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from operando.monitor.history.half_cycles import HalfCycle
from operando.monitor.history.time_range import RangeChoice, chosen_range_s, half_cycles_within, spread
from operando.monitor.reading.run_view import RunView


@dataclass(frozen=True)
class Stretch:
    """A choice; ``cycle`` counts from 1, 0 is none; with ``follow`` the newest samples stay in view."""

    choice: RangeChoice = RangeChoice.SINCE_START
    cycle: int = 0
    follow: bool = True

    def chosen(self, choice: RangeChoice, cycle: int = 0) -> "Stretch":
        """Return another choice; whoever chooses a stretch wants to see it grow."""
        return Stretch(choice, cycle, self.follow or choice is not RangeChoice.FREE)

    def moved(self) -> "Stretch":
        """Return what is left of the choice when somebody has moved or zoomed by hand."""
        return Stretch(RangeChoice.FREE, 0, follow=False)

    def following(self, follow: bool) -> "Stretch":
        """Return the same choice, with the newest samples kept in view or not."""
        return replace(self, follow=follow)

    def other_cycle(self, step: int, num_cycles: int) -> "Stretch":
        """Return the next cycle or the one before, from any other choice the first or the last."""
        if not num_cycles:
            return self
        begin = 1 if step > 0 else num_cycles
        cycle = self.cycle + step if self.choice is RangeChoice.CYCLE else begin
        return self.chosen(RangeChoice.CYCLE, min(max(cycle, 1), num_cycles))

    @property
    def shown_cycle(self) -> int:
        """The cycle that was chosen, or 0."""
        return self.cycle if self.choice is RangeChoice.CYCLE else 0

    def range_s(self, view: RunView, half_cycles: Sequence[HalfCycle]) -> tuple[float, float] | None:
        """Return from when to when is to be shown, in s since 1970; None if nothing tells, or it is free."""
        return chosen_range_s(self.choice, view.start_s, view.now_s, half_cycles, self.cycle)

    def half_cycles(
        self, known: Sequence[HalfCycle], view: RunView | None, seen_s: tuple[float, float], *, most: int
    ) -> tuple[HalfCycle, ...]:
        """Return the half cycles of the stretch, of at most so many cycles; of a free one those that are seen."""
        if self.choice is RangeChoice.CYCLE:
            return tuple(entry for entry in known if entry.cycle == self.cycle)
        within = tuple(known)
        if self.choice is not RangeChoice.SINCE_START and view is not None:
            chosen = chosen_range_s(self.choice, view.start_s, view.now_s)
            within = half_cycles_within(known, seen_s if chosen is None else chosen)
        cycles = spread(sorted({entry.cycle for entry in within}), most)
        return tuple(entry for entry in within if entry.cycle in cycles)
