"""Compile loops over arrays to machine code, with their types kept for the reader and the type checker."""

from collections.abc import Callable
from typing import ParamSpec, TypeVar

from numba import njit

P = ParamSpec("P")
T = TypeVar("T")


def compiled(function: Callable[P, T]) -> Callable[P, T]:
    """Compile with numba at the first call, keep the result on disk, run `prange` loops on all of numba's threads."""
    result: Callable[P, T] = njit(parallel=True, cache=True)(function)
    return result
