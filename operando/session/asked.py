"""What a run was asked for beside its files, kept in the run directory: whoever resumes it asks for the same."""

import json
from dataclasses import asdict, dataclass

from operando.model.attendance import LONGEST_ALONE_S
from operando.model.run_directory import RunDirectory
from operando.session.errors import RequestError


@dataclass(frozen=True)
class Asked:
    """Geometry, and of a rehearsal what its simulated beamline was given."""

    geometry: str
    rehearsal: bool
    seed: int | None = None
    recorded: str | None = None
    angle_unit: str | None = None
    longest_alone_s: float = LONGEST_ALONE_S


def write_asked(run: RunDirectory, asked: Asked) -> None:
    """Keep it in the run directory."""
    run.asked.write_text(json.dumps(asdict(asked), indent=1) + "\n", encoding="utf-8")


def read_asked(run: RunDirectory) -> Asked:
    """Return what was kept.

    Raises
    ------
    RequestError
        If nothing was, or it is damaged.
    """
    try:
        return Asked(**json.loads(run.asked.read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError) as error:
        raise RequestError(
            f"{run.asked}: cannot be read ({error}), so nobody knows with which geometry the run was begun. "
            "Only a run that 'operando run' has begun can be resumed."
        ) from None
