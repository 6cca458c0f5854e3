"""Memory that was freed goes back to the operating system, so that a process is not as large as its largest moment."""

import ctypes


def give_back_free_memory() -> None:
    """Return freed memory to the system where the C library can do so (glibc); elsewhere nothing happens.

    glibc keeps what was freed for later requests, in one heap per thread, and pieces of it that are too small for the
    next tomogram add up over days.
    """
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
    if trim is not None:
        trim(0)
