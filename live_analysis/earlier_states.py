"""The states that a tomogram is compared with: the pristine one of its run and the one before it, from their files."""

import contextlib
from dataclasses import dataclass

from live_analysis.cracks.crack_file import CrackState, read_cracks
from live_analysis.displacement.displacement_field import DisplacementField
from live_analysis.displacement.displacement_file import read_displacement
from live_analysis.region_file import RegionState, read_region, region_tomogram
from live_analysis.states.placed_volume import PlacedVolume, StateError
from live_analysis.states.pristine_particles import PristineParticles, find_pristine_particles
from operando.model.json_lines import JsonLinesReader
from operando.model.run_directory import RunDirectory

SAME_VOXELS = 1e-3  # relative difference up to which two states have voxels of one size


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
        self._first_tomogram = ""

    def pristine(self, state: RegionState, attempt: int, particle_per_cm: float | None) -> PristineState | None:
        """Return the pristine state that a state is compared with; None if it is that itself.

        Raises
        ------
        StateError
            If the run began with another tomogram, of which no state is left that can be compared with.
        """
        name = state.tomogram
        first = self._name_of_pristine(attempt, name)
        if name == first:
            return None
        for earlier in range(attempt - 1, 0, -1):
            if self._tomogram(earlier) == first:
                return self._comparable(earlier, state, particle_per_cm)
        raise StateError(
            f"{self._run.volumes}: no region of {first}, the tomogram that the run began with, can be read, so that "
            f"{name} cannot be compared with the pristine state. 'operando analyse --again' makes the regions again."
        )

    def _comparable(self, attempt: int, state: RegionState, particle_per_cm: float | None) -> PristineState:
        folder = self._run.volume(attempt)
        if self._kept is None or self._kept_attempt != attempt:
            try:
                pristine = read_region(folder)
            except (OSError, KeyError, ValueError) as error:
                raise StateError(
                    f"{folder}: the pristine region cannot be read ({error}). Analyse it again."
                ) from error
            if not pristine.absolute:
                raise StateError(
                    f"{folder}: the grey values of the pristine state are not absolute, {state.tomogram}'s are."
                )
            self._kept, self._kept_attempt = PristineState.of(pristine, particle_per_cm), attempt
        voxel_um = self._kept.state.voxel_size_um
        if abs(voxel_um - state.voxel_size_um) > SAME_VOXELS * voxel_um:
            raise StateError(
                f"{folder}: has voxels of {voxel_um} um, {state.tomogram} of {state.voxel_size_um} um. Take all "
                "tomograms of a run with the same camera."
            )
        return self._kept

    def pristine_cracks(self, attempt: int, tomogram: str) -> CrackState | None:
        """Return matrix and cracks of the pristine state; None if ``tomogram`` is that, or it left none."""
        first = self._name_of_pristine(attempt, tomogram)
        found = (self._cracks(earlier) for earlier in range(attempt - 1, 0, -1) if tomogram != first)
        return next((state for state in found if state is not None and state.tomogram == first), None)

    def cracks_before(self, attempt: int, tomogram: str) -> CrackState | None:
        """Return the cracks of the newest tomogram before an attempt that is another one than ``tomogram``."""
        found = (self._cracks(earlier) for earlier in range(attempt - 1, 0, -1))
        return next((state for state in found if state is not None and state.tomogram != tomogram), None)

    def _cracks(self, attempt: int) -> CrackState | None:
        with contextlib.suppress(OSError, KeyError, ValueError):
            return read_cracks(self._run.volume(attempt))
        return None

    def _name_of_pristine(self, attempt: int, name: str) -> str:
        return self._first() or next(filter(None, map(self._tomogram, range(1, attempt))), name)

    def _first(self) -> str:
        """Return the name of the first tomogram that was begun; empty where no document says it."""
        if not self._first_tomogram:
            for value in JsonLinesReader(self._run.documents).new_values():
                match value:
                    case ["start", {"kind": "tomogram", "tomogram": str(name)}]:
                        self._first_tomogram = name
                        break
        return self._first_tomogram

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
