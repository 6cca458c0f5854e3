"""Two rehearsals with the same seed give the same documents, and two side by side never meet."""

from pathlib import Path

import pytest

from tests.support.processes import SHORT, canonical, rehearsal

EPOCH = "1700000000"


@pytest.mark.timeout(200)
def test_two_rehearsals_side_by_side_give_the_same_documents(tmp_path: Path) -> None:
    with (
        rehearsal(tmp_path / "first", SHORT, "--epoch", EPOCH) as first,
        rehearsal(tmp_path / "second", SHORT, "--epoch", EPOCH) as second,
    ):
        assert first.exit_code(180) == 0
        assert second.exit_code(180) == 0
        ports = [(run.directory / "beamline.toml").read_text() for run in (first, second)]
        assert ports[0] != ports[1]
        said = [
            [canonical([name, document]) for name, document in run.documents() if name != "stream_datum"]
            for run in (first, second)
        ]
        assert said[0] == said[1]
