import errno
import os
import shutil
from pathlib import Path
from typing import Any

import pytest

from operando.model.outcome import Outcome
from plans.space import RESERVE_BYTES, DiskFullError
from tests.support.laboratory import Laboratory, new_laboratory

ONE_BYTES = (2 + 2 + 10) * 8 * 4 * 2 + RESERVE_BYTES  # darks, flats, projections of 8 x 4 pixels of two bytes


@pytest.fixture
def laboratory(tmp_path: Path) -> Laboratory:
    return new_laboratory(tmp_path)


def disk(free_bytes: int) -> Any:
    return lambda _: shutil._ntuple_diskusage(10**12, 10**12 - free_bytes, free_bytes)


def test_a_tomogram_without_room_is_refused_with_what_is_needed_and_the_cell_is_safe(
    laboratory: Laboratory, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shutil, "disk_usage", disk(ONE_BYTES))
    laboratory.clock.at(laboratory.clock.now() + 1500.0, lambda: monkeypatch.setattr(shutil, "disk_usage", disk(10**6)))
    with pytest.raises(DiskFullError) as refused:
        laboratory.run()
    assert str(refused.value) == (
        "No room for tomogram D1.7V: one tomogram needs 0.02 GB, the 2 that are to come 0.04 GB; 0.001 GB are free in "
        f"{laboratory.folder}. Make room there, then go on with: operando resume {laboratory.folder}"
    )
    assert laboratory.cell.state.get() == "OPEN_CIRCUIT"
    assert laboratory.runs() == {"OCV": "success", "outer": "fail"}


def test_after_room_was_made_the_schedule_ends_with_every_tomogram(
    laboratory: Laboratory, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing can be made durable from some moment on, as on a full disk; what was, can be read."""

    def full(_: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with monkeypatch.context() as patched:
        laboratory.clock.at(laboratory.clock.now() + 1005.0, lambda: patched.setattr(os, "fsync", full))
        with pytest.raises(OSError, match="No space left"):
            laboratory.run_until_killed(1e9)
        assert laboratory.cell.state.get() == "OPEN_CIRCUIT"
    laboratory.clear_up()
    laboratory.run_until_killed(1e9)
    ends = {line["name"]: line["outcome"] for line in laboratory.journal() if line["event"] == "outcome"}
    assert {name: ends[name] for name in ("OCV", "D1.7V", "D0.7V")} == dict.fromkeys(
        ("OCV", "D1.7V", "D0.7V"), Outcome.COMPLETE
    )
