"""Names of everything in a run directory: the one place that says where a file lies."""

from dataclasses import dataclass
from pathlib import Path

from operando.model.frames import FrameKind


@dataclass(frozen=True)
class RunDirectory:
    """A run's folder; it is the bus between the processes."""

    path: Path

    @property
    def experiment(self) -> Path:
        """Exact copy of the experiment file."""
        return self.path / "experiment.toml"

    @property
    def asked(self) -> Path:
        """What the command line asked for beside these files, in JSON: whoever resumes the run asks for the same."""
        return self.path / "asked.json"

    @property
    def beamline(self) -> Path:
        """Exact copy of the beamline file."""
        return self.path / "beamline.toml"

    @property
    def schedule(self) -> Path:
        """Intent before every step, outcome after it, operator requests."""
        return self.path / "schedule.jsonl"

    @property
    def edits(self) -> Path:
        """Schedules that people have put in the place of what remained."""
        return self.path / "edits"

    def edited_schedule(self, name: str) -> Path:
        """One of them; only the last part of ``name`` counts, so that it cannot lead out of the folder."""
        return self.edits / Path(name).name

    @property
    def documents(self) -> Path:
        """Every bluesky document of the acquisition, in order."""
        return self.path / "documents.jsonl"

    @property
    def results(self) -> Path:
        """Every document of the live analysis, in order."""
        return self.path / "results.jsonl"

    @property
    def cell_log(self) -> Path:
        """The guard's log."""
        return self.path / "cell.sqlite"

    @property
    def token(self) -> Path:
        """Secret that a command to the guard must carry."""
        return self.path / "guard.token"

    @property
    def frames(self) -> Path:
        """Folder of the counts."""
        return self.path / "frames"

    @property
    def tomograms(self) -> Path:
        """Folder of the NXtomo files."""
        return self.path / "tomograms"

    @property
    def volumes(self) -> Path:
        """Folder of the reconstructed volumes."""
        return self.path / "volumes"

    @property
    def report(self) -> Path:
        """Folder of the report."""
        return self.path / "report"

    @property
    def report_page(self) -> Path:
        """The report itself, written last of its files."""
        return self.report / "index.html"

    @property
    def processes(self) -> Path:
        """Folder of lock files and outputs, one pair for each process of the run."""
        return self.path / "processes"

    @property
    def simulation(self) -> Path:
        """Folder of a rehearsal's simulated beamline."""
        return self.path / "simulation"

    @property
    def simulated_cell(self) -> Path:
        """Exact copy of the file of a rehearsal's cell."""
        return self.simulation / "cell.toml"

    @property
    def truth(self) -> Path:
        """What was really there; for tests and ``operando compare`` only."""
        return self.simulation / "truth.jsonl"

    def frames_file(self, attempt: int, kind: FrameKind) -> Path:
        """File of one kind of frames of one attempt at a tomogram."""
        return self.frames / f"{attempt:04d}_{kind.value}.h5"

    def last_attempt_with_frames(self) -> int:
        """Highest number of an attempt that any frames file is named after, 0 if there is none."""
        numbers = (path.name.split("_", 1)[0] for path in self.frames.glob("[0-9]*_*.h5"))
        return max((int(number) for number in numbers if number.isdecimal()), default=0)

    def tomogram_file(self, attempt: int, name: str) -> Path:
        """NXtomo file of one attempt."""
        return self.tomograms / f"{attempt:04d}_{name}.nx"

    def volume(self, attempt: int) -> Path:
        """Folder of the volume of one attempt."""
        return self.volumes / f"{attempt:04d}"

    def preview(self, attempt: int) -> Path:
        """Three slices that grow with the projections of one attempt, see `operando.model.preview_slices`."""
        return self.volume(attempt) / "preview.h5"

    @property
    def plane_wish(self) -> Path:
        """Where a person wants the planes of the preview, see `operando.model.plane_wish`."""
        return self.volumes / "preview_planes.json"

    def preview_picture(self, attempt: int, name: str) -> Path:
        """PNG of three slices."""
        return self.report / f"{attempt:04d}_{name}.png"
