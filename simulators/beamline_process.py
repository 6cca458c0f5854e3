"""The simulated beamline as one process: all instruments on one conductor, from its first second to its end."""

import asyncio
import contextlib
import signal
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from caproto.server import PVGroup

from operando.model.attendance import LONGEST_ALONE_S
from operando.model.channel_access import repair_caproto
from operando.model.clock import ClockPage
from operando.model.json_lines import JsonLinesWriter
from simulators.beamline_file import (
    AMPLIFIER_V,
    CHANNEL,
    CONTROL_PREFIX,
    FAULTS_FILE,
    FAULTS_TOKEN,
    INTERFACE,
    LOAD_CELL_LINK,
    MAX_CURRENT_A,
    PAGE,
    PREFIX,
    PREVIEW,
    SAMPLE_X_LIMITS_MM,
    Ports,
)
from simulators.beamline_server import BeamlineServer
from simulators.bookkeeping import bookkeeping_done
from simulators.camera import Camera, Chip, Stages
from simulators.channel_access_server import stamp_with
from simulators.clock_participant import ROLES
from simulators.conductor import Conductor
from simulators.faults.fault import Fault, Instruments
from simulators.faults.fault_commands import FaultCommands, write_token
from simulators.faults.injector import Injector
from simulators.frame_path import FramePath
from simulators.frame_source import FrameSource
from simulators.hdf5_plugin import Hdf5Plugin
from simulators.load_cell import FULL_SCALE_N, LoadCell
from simulators.motor import Motor
from simulators.past import PAST_FILE, Past, PastWriter
from simulators.potentiostat import Potentiostat
from simulators.potentiostat_cell import Cell
from simulators.potentiostat_channel import Channel
from simulators.potentiostat_identity import PotentiostatIdentity
from simulators.preview import Preview
from simulators.scalar_sensors import RING_CURRENT_MA, ScalarSensors, StoredCurrent
from simulators.shutter import Shutter

LOOK_ROUND_S = 1.0


class SimulatedCell(Cell, Protocol):
    """What stands on the rotation stage: a cell for the potentiostat that also presses on the load cell."""

    def force_n(self, time_s: float) -> float:
        """Return the force on the load cell, in N."""


@dataclass(frozen=True)
class Contents:
    """What is simulated behind the instruments.

    ``on_acquisition`` is called in a thread for every acquisition, with its file, its number of frames and the time
    halfway between the first and the last of them.
    """

    cell: SimulatedCell
    source: FrameSource
    chip: Chip
    on_acquisition: Callable[[Path, int, float], None]


class SimulatedBeamline:
    """All instruments and their clock.

    Parameters
    ----------
    directory
        Of clock page and load cell's link.
    ports
        Where to answer.
    epoch_s
        Virtual time now, in s since the Unix epoch.
    past
        What has happened before, if this beamline goes on with an earlier one.
    seed
        Of all noise.
    make_contents
        Given the virtual time at which the cell was closed, makes what is simulated.
    await_all
        Let time begin when all of ``roles`` have joined.
    roles
        Who must wait before time jumps.
    longest_alone_s
        Of real time; it ends so long after its last client.
    faults
        What goes wrong; more can be asked for on the wire.
    """

    def __init__(
        self,
        directory: Path,
        ports: Ports,
        *,
        epoch_s: float,
        seed: int,
        make_contents: Callable[[float], Contents],
        past: Past | None = None,
        await_all: bool = False,
        roles: Sequence[str] = ROLES,
        longest_alone_s: float = LONGEST_ALONE_S,
        faults: Sequence[Fault] = (),
    ) -> None:
        self._longest_alone_s = longest_alone_s
        self._page = ClockPage(directory / PAGE, create=True)
        self._conductor = conductor = Conductor(self._page, epoch_s=epoch_s, await_all=await_all, roles=roles)
        self._ports = ports
        began_s = epoch_s if past is None else past.began_s
        places = {} if past is None else past.places
        contents = make_contents(began_s)
        stamp_with(conductor.now)
        self._rotation = Motor(
            prefix=f"{PREFIX}rotation",
            conductor=conductor,
            velocity=36.0,
            acceleration_time_s=0.2,
            limits=(-720.0, 720.0),
            units="deg",
            position=places.get("rotation", 0.0),
        )
        self._sample_x = Motor(
            prefix=f"{PREFIX}sample_x",
            conductor=conductor,
            velocity=5.0,
            acceleration_time_s=0.2,
            limits=SAMPLE_X_LIMITS_MM,
            units="mm",
            position=places.get("sample_x", 0.0),
        )
        self._shutter = Shutter(
            prefix=f"{PREFIX}shutter:", conductor=conductor, is_open=bool(places.get("shutter_open", False))
        )
        self._ring = StoredCurrent(
            prefix=CONTROL_PREFIX, conductor=conductor, current_ma=places.get("stored_current", RING_CURRENT_MA)
        )
        self._sensors = ScalarSensors(prefix=PREFIX, conductor=conductor, seed=seed, ring=self._ring)
        channel = Channel(
            contents.cell,
            began_s,
            MAX_CURRENT_A,
            auxiliary_v=lambda time_s: AMPLIFIER_V / FULL_SCALE_N * contents.cell.force_n(time_s),
        )
        if past is not None:
            past.repeat(channel)
        history = PastWriter(directory / PAST_FILE, began_s, self._places)
        conductor.on_arrival(history.look)
        self._potentiostat = Potentiostat(
            prefix=f"{PREFIX}ECLAB:C{CHANNEL}:",
            conductor=conductor,
            channel=channel,
            seed=seed,
            obeyed=history.obeyed,
        )
        self._potentiostat_identity = PotentiostatIdentity(prefix=f"{PREFIX}ECLAB:")
        self._load_cell = LoadCell(directory / LOAD_CELL_LINK, conductor, contents.cell.force_n, seed=seed)
        self._preview = Preview(
            PREVIEW,
            frame_shape=contents.source.frame_shape,
            interface=INTERFACE,
            tcp_port=ports.pv_access_tcp,
            udp_port=ports.pv_access_udp,
        )
        self._hdf5 = Hdf5Plugin(
            prefix=f"{PREFIX}camera:HDF1:",
            conductor=conductor,
            frame_shape=contents.source.frame_shape,
            on_acquisition=_in_thread(contents.on_acquisition),
        )
        frames = FramePath(self._hdf5, conductor)
        self._camera = Camera(
            prefix=f"{PREFIX}camera:cam1:",
            conductor=conductor,
            chip=contents.chip,
            source=contents.source,
            sink=frames,
            stages=Stages(
                self._rotation.position_at,
                self._sample_x.position_at,
                self._beam,
                lambda: channel.num_interventions,
            ),
            preview=self._preview.post,
        )
        self._frames = frames
        self._channel = channel
        self._faults = faults
        self._journal = JsonLinesWriter(directory / FAULTS_FILE)
        self._token = write_token(directory / FAULTS_TOKEN)
        self._epoch_s = epoch_s
        self._seed = seed

    def _injector_for(self, server: BeamlineServer) -> Injector:
        instruments = Instruments(
            self._conductor,
            server,
            self._rotation,
            self._sample_x,
            self._ring,
            self._sensors,
            self._load_cell,
            self._potentiostat,
            self._channel,
            self._camera,
            self._frames,
            self._hdf5,
        )
        return Injector(instruments, self._journal, epoch_s=self._epoch_s, seed=self._seed)

    def _beam(self, begin_s: float, end_s: float) -> float:
        """Return the mean intensity at the sample between two times, relative to the filled ring."""
        return self._ring.beam(begin_s, end_s) if self._shutter.is_open_at((begin_s + end_s) / 2) else 0.0

    def _places(self) -> dict[str, float]:
        return {
            "rotation": self._rotation.target,
            "sample_x": self._sample_x.target,
            "shutter_open": self._shutter.is_open,
            "stored_current": self._ring.asked_ma,
        }

    @property
    def groups(self) -> list[PVGroup]:
        """All groups of process variables."""
        return [
            self._rotation,
            self._sample_x,
            self._shutter,
            self._ring,
            self._sensors,
            self._potentiostat,
            self._potentiostat_identity,
            self._camera,
            self._hdf5,
        ]

    async def run(self, ready: Callable[[], None]) -> None:
        """Serve until a signal or until nobody has been there for too long; call ``ready`` when all answer."""
        repair_caproto()
        loop = asyncio.get_running_loop()
        ended = asyncio.Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, ended.set)
        pvdb = {name: channel for group in self.groups for name, channel in group.pvdb.items()}
        server = BeamlineServer(pvdb, [INTERFACE])
        injector = self._injector_for(server)
        pvdb |= FaultCommands(prefix=CONTROL_PREFIX, injector=injector, token=self._token).pvdb
        self._load_cell.plug()
        await injector.inject(self._faults)
        await self._conductor.serve(INTERFACE, self._ports.clock)
        with self._preview:
            tasks = [
                asyncio.create_task(server.run(startup_hook=self._initialise_and_tell(ready))),
                asyncio.create_task(self._conductor.run()),
                asyncio.create_task(self._until_alone(server, ended)),
                asyncio.create_task(ended.wait()),
            ]
            wall_time = asyncio.create_task(injector.count_wall_time())
            try:
                done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
                for task in done:
                    task.result()
            finally:
                injector.close()
                await bookkeeping_done()
                await self._end([*tasks, wall_time])

    def _initialise_and_tell(self, ready: Callable[[], None]) -> Callable[[Any], Awaitable[None]]:
        async def server_started(_: Any) -> None:
            for device in (self._rotation, self._sample_x, self._shutter, self._camera, self._hdf5):
                await device.initialise()
            await asyncio.sleep(0.01)  # caproto's listening sockets open in tasks of their own
            ready()

        return server_started

    async def _until_alone(self, server: BeamlineServer, ended: asyncio.Event) -> None:
        loop = asyncio.get_running_loop()
        attended_at, longest_alone_s = loop.time(), LONGEST_ALONE_S
        while loop.time() - attended_at < longest_alone_s:
            if server.circuits or self._conductor.num_participants:
                attended_at, longest_alone_s = loop.time(), self._longest_alone_s
            await asyncio.sleep(LOOK_ROUND_S)
        ended.set()

    async def _end(self, tasks: list["asyncio.Task[Any]"]) -> None:
        self._conductor.close()
        for task in tasks:
            task.cancel()
        for task in tasks:
            with contextlib.suppress(asyncio.CancelledError, Exception):
                await task
        self._load_cell.unplug()
        self._camera.close()
        await self._hdf5.close()


def _in_thread(function: Callable[[Path, int, float], None]) -> Callable[[Path, int, float], Awaitable[None]]:
    async def run(path: Path, num_frames: int, middle_s: float) -> None:
        await asyncio.to_thread(function, path, num_frames, middle_s)

    return run
