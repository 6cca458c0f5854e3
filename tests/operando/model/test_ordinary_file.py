import os
from pathlib import Path

import pytest

from operando.model.ordinary_file import ordinary_file


def test_what_reading_would_wait_for_is_refused(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "circle").symlink_to("circle")
    for name in ("pipe", "circle", "missing", "."):
        with pytest.raises(OSError, match=name if name != "." else "no ordinary file"):
            ordinary_file(tmp_path / name)
    (tmp_path / "file").write_text("")
    (tmp_path / "link").symlink_to("file")
    assert ordinary_file(tmp_path / "link") == tmp_path / "link"
