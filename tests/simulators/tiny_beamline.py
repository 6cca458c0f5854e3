"""A simulated beamline with a resistor, or the cell of argument 2, and the faults of argument 3.

Its frames of 32 x 16 pixels say what was asked.
"""

import asyncio
import os
import sys
from pathlib import Path

from operando.model.channel_access import prepare, server_environment
from simulators.beamline_file import CHIP_COLUMNS, CHIP_ROWS, Ports, beamline_text
from simulators.ports import free_ports

EPOCH_S = 1_700_000_000.0


def main(directory: Path, cell_file: str = "", faults_file: str = "") -> None:
    ports = Ports(*free_ports(7))
    prepare(server_environment(ports.instruments))
    os.environ["OPHYD_CONTROL_LAYER"] = "dummy"

    import numpy as np
    from numpy.typing import NDArray

    from simulators.beamline_process import Contents, SimulatedBeamline
    from simulators.camera import Chip
    from simulators.cell_parameters import load_cell
    from simulators.cell_twin import CellTwin
    from simulators.dummy_cell import DummyCell
    from simulators.faults.fault_file import load_faults
    from simulators.load_cell import FULL_SCALE_N, calibration

    class Frames:
        frame_shape = (16, 32)

        def frame_angle_deg(self, angle_deg: float) -> float:
            return angle_deg

        def frame(
            self,
            mid_exposure_s: float,
            exposure_s: float,
            angle_deg: float,
            sample_x_mm: float,
            beam: float,
            frame_number: int,
        ) -> NDArray[np.uint16]:
            frame = np.zeros(self.frame_shape, np.uint16)
            frame[0, :3] = frame_number, round(100 * angle_deg) % 65536, round(100 * beam)
            return frame

    def contents(epoch_s: float) -> Contents:
        cell = DummyCell(epoch_s) if not cell_file else CellTwin(load_cell(Path(cell_file)), epoch_s)
        return Contents(cell, Frames(), Chip(CHIP_COLUMNS, CHIP_ROWS, 4, 128, 64), lambda *_: None)

    faults = load_faults(Path(faults_file)) if faults_file else ()
    beamline = SimulatedBeamline(directory, ports, epoch_s=EPOCH_S, seed=1, make_contents=contents, faults=faults)
    path = directory / "beamline.toml"
    path.write_text(beamline_text(directory, ports, full_scale_n=FULL_SCALE_N, calibration=calibration()))
    asyncio.run(beamline.run(lambda: print(f"READY {path}", flush=True)))


if __name__ == "__main__":
    main(Path(sys.argv[1]), *sys.argv[2:])
