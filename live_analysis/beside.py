"""One more thread for work that goes on beside the caller's."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from types import TracebackType
from typing import ParamSpec, Self, TypeVar

from live_analysis.reconstruction.compiled import loops_may_run_together

P = ParamSpec("P")
T = TypeVar("T")


class Beside:
    """Runs functions one after the other beside its ``with`` block, which waits at its end for what was begun.

    Where parallel loops of two threads may not run at once, a function runs when its result is asked for.
    """

    def __enter__(self) -> Self:
        self._threads = ThreadPoolExecutor(1, thread_name_prefix="beside") if loops_may_run_together() else None
        return self

    def begin(self, function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> Callable[[], T]:
        """Begin a function; call what is returned, once, for the function's result or exception."""
        if self._threads is None:
            return partial(function, *args, **kwargs)
        return self._threads.submit(function, *args, **kwargs).result

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._threads is not None:
            self._threads.shutdown()
