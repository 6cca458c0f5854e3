"""Whoever only measures or shows gives way to whoever guards."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

SCORE = Path("/proc/self/oom_score_adj")
PROGRAM = """
import os
from pathlib import Path
from operando.model.expendable import become_expendable
become_expendable(niceness=10)
become_expendable(niceness=5)
become_expendable()
print(Path("/proc/self/oom_score_adj").read_text().strip(), os.nice(0))
"""


@pytest.mark.skipif(not SCORE.exists(), reason="only Linux tells its kernel whom to end first")
def test_an_expendable_process_is_the_first_that_the_kernel_ends_and_never_takes_priority_back() -> None:
    answer = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, text=True, timeout=60, check=True)
    score, niceness = map(int, answer.stdout.split())
    assert score == 1000
    assert niceness == max(os.nice(0), 10)
