"""Work beside the caller's, where loops allow it, and in its place where not."""

import threading

import pytest

from live_analysis import beside
from live_analysis.beside import Beside


@pytest.mark.parametrize("together", [True, False])
def test_what_was_begun_is_done_once_and_its_exception_is_raised_where_it_is_asked_for(
    together: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(beside, "loops_may_run_together", lambda: together)
    ran_in: list[threading.Thread] = []

    def work(number: int) -> int:
        ran_in.append(threading.current_thread())
        if number < 0:
            raise ValueError(f"{number} is below nothing")
        return number + 1

    with Beside() as one_more:
        coming, failing = one_more.begin(work, 1), one_more.begin(work, -1)
        assert coming() == 2
        with pytest.raises(ValueError, match="-1"):
            failing()
    assert len(ran_in) == 2
    assert (ran_in[0] is threading.current_thread()) is not together
