"""The states that a tomogram is compared with: the pristine one of its run and the one before it, from their files."""

import contextlib
from dataclasses import dataclass

from live_analysis.displacement.displacement_field import DisplacementField
from live_analysis.displacement.displacement_file import read_displacement
from live_analysis.region_file import Face, RegionState, read_face, read_region, region_tomogram
from live_analysis.states.placed_volume import PlacedVolume, StateError
from live_analysis.states.pristine_particles import PristineParticles, find_pristine_particles
from operando.model.run_directory import RunDirectory


@dataclass(frozen=True)
class PristineState:
    """The state in which a run's first tomogram found the cell; ``particles`` is None where none stand out."""

    state: RegionState
    volume: PlacedVolume
    particles: PristineParticles | None

    @classmethod
    def of(cls, state: RegionState, particle_per_cm: float | None) -> "PristineState":
        """Find the particles of a state, which attenuate as ``particle_per_cm`` says; None: nobody knows how."""
        volume, particles = PlacedVolume.of_state(state), None
        if particle_per_cm is not None:
            with contextlib.suppress(StateError):
                particles = find_pristine_particles(volume, particle_per_cm)
        return cls(state, volume, particles)


class EarlierStates:
    """Reads what earlier tomograms of a run have left; the pristine state is read once.

    The pristine state is the last attempt at the tomogram that the run began with.
    """

    def __init__(self, run: RunDirectory) -> None:
        self._run = run
        self._kept: PristineState | None = None
        self._kept_attempt = 0

    def pristine(self, attempt: int, particle_per_cm: float | None) -> PristineState | None:
        """Return the pristine state before an attempt; None if there is none that can be read."""
        last = self._pristine_attempt(attempt)
        if last is None:
            return None
        if self._kept is None or self._kept_attempt != last:
            try:
                state = read_region(self._run.volume(last))
            except (OSError, KeyError, ValueError):
                return None
            self._kept, self._kept_attempt = PristineState.of(state, particle_per_cm), last
        return self._kept

    def pristine_face(self, attempt: int) -> Face | None:
        """Return the interface of the pristine state before an attempt; None if it was not found."""
        last = self._pristine_attempt(attempt)
        if last is not None:
            with contextlib.suppress(OSError, KeyError, ValueError):
                return read_face(self._run.volume(last))
        return None

    def _pristine_attempt(self, attempt: int) -> int | None:
        attempts = [(earlier, self._tomogram(earlier)) for earlier in range(1, attempt)]
        named = [(earlier, name) for earlier, name in attempts if name]
        return max((earlier for earlier, name in named if name == named[0][1]), default=None)

    def _tomogram(self, attempt: int) -> str:
        with contextlib.suppress(OSError, KeyError, ValueError):
            return region_tomogram(self._run.volume(attempt))
        return ""

    def field_before(self, attempt: int, pristine: RegionState) -> DisplacementField | None:
        """Return the displacement of the tomogram before an attempt, if it was measured against the same state."""
        for earlier in range(attempt - 1, 0, -1):
            with contextlib.suppress(OSError, KeyError, ValueError):
                field, compared = read_displacement(self._run.volume(earlier))
                if compared.reference_run_uid == pristine.run_uid:
                    return field
        return None
