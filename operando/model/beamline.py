"""The beamline file: addresses, prefixes and calibrations. Every process takes them from here and nowhere else."""

from pathlib import Path
from typing import Literal

from pydantic import Field

from operando.model.toml_file import Table, read_toml


class ChannelAccess(Table):
    """Where the Channel Access servers answer: the instruments', the guard's and the results'."""

    instruments: tuple[str, ...]
    interface: str = "127.0.0.1"
    guard_port: int = Field(strict=True, ge=1024, le=65535)
    results_port: int = Field(strict=True, ge=1024, le=65535)
    repeater_port: int | None = None

    @property
    def addresses(self) -> list[str]:
        """All servers, as a client's address list wants them."""
        return [*self.instruments, f"{self.interface}:{self.guard_port}", f"{self.interface}:{self.results_port}"]


class PvAccess(Table):
    """Where the camera's preview is served."""

    address: str
    preview: str


class ClockAddress(Table):
    """The rehearsal's clock; the page's path is relative to the beamline file."""

    host: str = "127.0.0.1"
    port: int
    page: str


class Motor(Table):
    """An EPICS motor record."""

    prefix: str


class SampleStage(Motor):
    """The translation that carries the sample out of the beam; its travel, where it is known beforehand."""

    low_limit_mm: float | None = None
    high_limit_mm: float | None = None


class Camera(Table):
    """An areaDetector camera with its HDF5 plugin."""

    prefix: str
    cam: str = "cam1:"
    hdf1: str = "HDF1:"
    chip_columns: int = Field(strict=True, gt=0)
    chip_rows: int = Field(strict=True, gt=0)
    min_frame_period_s: float = Field(strict=True, gt=0)


class Potentiostat(Table):
    """A channel of an IOC with the ISIS EPICS-ECLab names."""

    prefix: str
    channel: int = Field(strict=True, ge=0)
    max_current_a: float = Field(strict=True, gt=0)
    poll_s: float = Field(strict=True, default=1.0, gt=0)


class Calibration(Table):
    """Two points of a load cell's calibration; there is no default."""

    id: str = Field(min_length=1)
    date: str
    counts: tuple[float, float]
    force_n: tuple[float, float]


class LoadCell(Table):
    """A load cell on a serial line."""

    kind: Literal["lorenz"] = "lorenz"
    port: str
    full_scale_n: float = Field(strict=True, gt=0)
    calibration: Calibration


class ScalarPv(Table):
    """One process variable."""

    pv: str


class Server(Table):
    """The prefix of a server of our own."""

    prefix: str


class Beamline(Table):
    """A whole beamline file."""

    name: str
    rehearsal: bool = False
    channel_access: ChannelAccess
    pv_access: PvAccess | None = None
    clock: ClockAddress | None = None
    rotation_stage: Motor
    sample_x: SampleStage
    shutter: Server
    camera: Camera
    potentiostat: Potentiostat
    load_cell: LoadCell
    temperature: ScalarPv
    ring_current: ScalarPv
    guard: Server
    results: Server


def load_beamline(path: Path) -> Beamline:
    """Read a beamline file.

    Raises
    ------
    FileFormatError
        With one sentence per mistake, naming file, key, value and what is allowed.
    """
    return read_toml(path, Beamline)
