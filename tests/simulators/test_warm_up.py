"""What setup compiled is what a rehearsal needs."""

from pathlib import Path

from operando.model.geometry import ImagingGeometry
from simulators.cell_parameters import load_cell
from simulators.cell_twin import CellTwin
from simulators.detector import Detector
from simulators.phantom import Phantom
from simulators.projector import Projector
from simulators.warm_up import warm_up
from tests.support.compiled_kinds import compiled_kinds

CELL = Path(__file__).parents[2] / "experiments" / "cus_26mpa.cell.toml"


def test_frames_of_a_simulated_cell_need_no_kernel_that_was_not_warmed_up() -> None:
    warm_up()
    before = compiled_kinds("simulators")
    parameters, geometry = load_cell(CELL), ImagingGeometry(num_columns=16, num_rows=8, pixel_size_um=50.0)
    scene = Phantom(parameters, 1).scene(CellTwin(parameters, 0.0).state(0.0))
    shadow = Projector(geometry, axis_column=7.9).line_integrals(scene, 30.0, 0.1)
    detector = Detector(geometry, parameters.beam, 1e4, 1)
    assert detector.counts(shadow, shutter_open=True, frame_number=1, beam_intensity=0.5).mean() < 1e4
    detector.counts(None, shutter_open=False, frame_number=2)
    assert compiled_kinds("simulators") == before
