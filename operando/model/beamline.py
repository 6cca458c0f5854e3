"""The beamline file: addresses, prefixes and calibrations. Every process takes them from here and nowhere else."""

import ipaddress
import re
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Field, model_validator

from operando.model.toml_file import Table, read_toml

MAX_NAME = 60  # of a process variable


def _host_and_port(text: str) -> str:
    if not re.fullmatch(r"[A-Za-z0-9._-]+(:\d{1,5})?", text):
        raise ValueError("is no address: allowed is a host or host:port, as in '127.0.0.1:5064'")
    return text


def _ip_address(text: str) -> str:
    try:
        ipaddress.ip_address(text)
    except ValueError as error:
        raise ValueError("is no IP address of an interface: allowed is one as in '127.0.0.1'") from error
    return text


def _pv_name(text: str) -> str:
    if not re.fullmatch(rf"[A-Za-z0-9_:;<>.$\[\]{{}}()-]{{1,{MAX_NAME}}}", text):
        raise ValueError(
            f"is no (beginning of a) name of a process variable: allowed are 1 to {MAX_NAME} letters, digits and "
            "_ : . - without spaces"
        )
    return text


def _refuse_one_point(**columns: tuple[float, float]) -> None:
    for key, (first, second) in columns.items():
        if first == second:
            raise ValueError(f"{key} are {first:g} at both points: a calibration needs two that differ")


Prefix = Annotated[str, AfterValidator(_pv_name)]


class ChannelAccess(Table):
    """Where the Channel Access servers answer: the instruments', the guard's and the results'."""

    instruments: tuple[Annotated[str, AfterValidator(_host_and_port)], ...] = Field(min_length=1)
    interface: Annotated[str, AfterValidator(_ip_address)] = "127.0.0.1"
    guard_port: int = Field(strict=True, ge=1024, le=65535)
    results_port: int = Field(strict=True, ge=1024, le=65535)
    repeater_port: int | None = None

    @model_validator(mode="after")
    def _ports_differ(self) -> Self:
        if self.guard_port == self.results_port:
            raise ValueError(f"guard_port and results_port are both {self.guard_port}: give each its own port")
        return self

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
    port: int = Field(strict=True, ge=1, le=65535)
    page: str


class Motor(Table):
    """An EPICS motor record."""

    prefix: Prefix


class SampleStage(Motor):
    """The translation that carries the sample out of the beam; its travel, where it is known beforehand."""

    low_limit_mm: float | None = None
    high_limit_mm: float | None = None

    @model_validator(mode="after")
    def _limits_in_order(self) -> Self:
        low_mm, high_mm = self.low_limit_mm, self.high_limit_mm
        if low_mm is not None and high_mm is not None and low_mm >= high_mm:
            raise ValueError(f"low_limit_mm {low_mm:g} mm must be below high_limit_mm {high_mm:g} mm")
        return self


class Camera(Table):
    """An areaDetector camera with its HDF5 plugin."""

    prefix: Prefix
    cam: str = "cam1:"
    hdf1: str = "HDF1:"
    chip_columns: int = Field(strict=True, gt=0)
    chip_rows: int = Field(strict=True, gt=0)
    min_frame_period_s: float = Field(strict=True, gt=0)


class ForceInput(Table):
    """Two points of a force amplifier's output at an auxiliary input of the potentiostat, which then limits it."""

    number: Literal[1, 2]
    volts: tuple[float, float]
    force_n: tuple[float, float]

    @model_validator(mode="after")
    def _two_points(self) -> Self:
        _refuse_one_point(volts=self.volts, force_n=self.force_n)
        return self


class Potentiostat(Table):
    """A channel of an IOC with the ISIS EPICS-ECLab names."""

    prefix: Prefix
    channel: int = Field(strict=True, ge=0)
    max_current_a: float = Field(strict=True, gt=0)
    poll_s: float = Field(strict=True, default=1.0, gt=0)
    force_input: ForceInput | None = None


class Calibration(Table):
    """Two points of a load cell's calibration; there is no default."""

    id: str = Field(min_length=1)
    date: str
    counts: tuple[float, float]
    force_n: tuple[float, float]

    @model_validator(mode="after")
    def _two_points(self) -> Self:
        _refuse_one_point(counts=self.counts, force_n=self.force_n)
        return self


class LoadCell(Table):
    """A load cell on a serial line."""

    kind: Literal["lorenz"] = "lorenz"
    port: str
    full_scale_n: float = Field(strict=True, gt=0)
    tare_counts: int | None = Field(strict=True, default=None, gt=-32768, lt=32767)
    calibration: Calibration


class ScalarPv(Table):
    """One process variable."""

    pv: Prefix


class Server(Table):
    """The prefix of a server of our own."""

    prefix: Prefix


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
