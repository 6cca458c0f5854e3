"""Memory that was freed goes back to the system."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

# Small blocks between which one stays: glibc cannot shorten its heap at the end, and keeps everything.
FREED_BUT_KEPT = """
import psutil
from operando.model.free_memory import give_back_free_memory

def private_bytes():
    return psutil.Process().memory_full_info().uss

blocks = [bytearray(40_000) for _ in range(2_000)]
last = bytearray(40_000)
full = private_bytes()
del blocks
freed = private_bytes()
give_back_free_memory()
print(full, freed, private_bytes())
"""
ROOT = Path(__file__).parents[3]
BLOCKS_BYTES = 2_000 * 40_000


@pytest.mark.skipif("CS_GNU_LIBC_VERSION" not in os.confstr_names, reason="only glibc can give it back")
def test_what_was_freed_below_a_block_that_stays_goes_back_to_the_system() -> None:
    told = subprocess.run(
        [sys.executable, "-c", FREED_BUT_KEPT], check=True, capture_output=True, text=True, cwd=ROOT, timeout=60
    ).stdout
    full, freed, given_back = map(int, told.split())
    assert full - freed < 0.1 * BLOCKS_BYTES  # what the test is about: without help it stays
    assert full - given_back > 0.9 * BLOCKS_BYTES
