"""Compile loops over arrays to machine code, with their types kept for the reader and the type checker."""

import os
from collections.abc import Callable
from typing import ParamSpec, TypeVar

import numba
from numba import njit

# Threads that have finished their part sleep instead of spinning: beside other busy programs, such as a simulated
# beamline, spinning made small loops ten times slower. OpenMP reads this when the first loop starts.
os.environ.setdefault("OMP_WAIT_POLICY", "passive")
# Straight code on sixteen numbers becomes vector instructions only with this pass of LLVM, which numba leaves out.
numba.config.SLP_VECTORIZE = 1
# A product and a sum may become one instruction. No rule about NaN is given up: damaged values must stay visible.
CONTRACTED = {"contract", "nsz", "arcp"}

P = ParamSpec("P")
T = TypeVar("T")


def compiled(function: Callable[P, T]) -> Callable[P, T]:
    """Compile with numba at the first call, keep the result on disk, run `prange` loops on all of numba's threads.

    Other threads of Python go on meanwhile.
    """
    result: Callable[P, T] = njit(parallel=True, nogil=True, cache=True, fastmath=CONTRACTED)(function)
    return result


def loops_may_run_together() -> bool:
    """Return whether parallel loops of two threads may run at once: numba's last resort for sharing work ends then.

    False also before the first loop has run, when numba has not chosen yet.
    """
    try:
        return str(numba.threading_layer()) != "workqueue"
    except ValueError:
        return False


def compiled_serial(function: Callable[P, T]) -> Callable[P, T]:
    """Compile a loop that runs on the calling thread, to be called within a `prange` loop."""
    result: Callable[P, T] = njit(cache=True, fastmath=CONTRACTED)(function)
    return result


def inlined(function: Callable[P, T]) -> Callable[P, T]:
    """Compile into every compiled function that calls this one."""
    result: Callable[P, T] = njit(forceinline=True, fastmath=CONTRACTED)(function)
    return result
