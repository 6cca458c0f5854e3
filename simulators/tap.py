"""A place on a value's way through an instrument where it may be changed or taken away."""

from collections.abc import Callable
from typing import Generic, TypeVar

ValueT = TypeVar("ValueT")


class Tap(Generic[ValueT]):
    """Passes values on as they are, until somebody puts changes in; these act in the order in which they came."""

    def __init__(self) -> None:
        self._changes: list[Callable[[ValueT], ValueT]] = []

    def __call__(self, value: ValueT) -> ValueT:
        """Return the value as it goes on; a change may also raise what the instrument would."""
        for change in tuple(self._changes):
            value = change(value)
        return value

    def put_in(self, change: Callable[[ValueT], ValueT]) -> Callable[[], None]:
        """Let ``change`` act on all values from now on; return what takes it out again, at once or later."""
        self._changes.append(change)

        def take_out() -> None:
            if change in self._changes:
                self._changes.remove(change)

        return take_out
