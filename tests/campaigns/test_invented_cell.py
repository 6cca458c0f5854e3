import tomllib
from pathlib import Path

import numpy as np
import pytest

from campaigns.cell_experiment import GEOMETRY, experiment_text
from campaigns.cells import SHIPPED_CELL, SHIPPED_EXPERIMENT, StudiedCell
from campaigns.invented_cell import DRAWN, InventedCell, invent_cell
from operando.model.experiment_file import load_experiment
from operando.session.check import refuse_what_cannot_be
from simulators.cell_parameters import load_cell
from simulators.cell_twin import CellTwin
from simulators.phantom import Phantom
from simulators.pristine_cell import ANALYSIS_REGION
from simulators.truth import truth

NUMBERS = range(1, 5)


@pytest.fixture(scope="module")
def cells() -> list[InventedCell]:
    return [invent_cell(SHIPPED_CELL, 7, number) for number in NUMBERS]


def test_a_cell_depends_on_its_seed_and_number_only(cells: list[InventedCell]) -> None:
    assert invent_cell(SHIPPED_CELL, 7, 2) == cells[1]
    assert invent_cell(SHIPPED_CELL, 8, 2).text != cells[1].text
    assert len({cell.text for cell in cells}) == len({cell.seed for cell in cells}) == len(cells)


def test_what_is_drawn_says_so_and_the_declared_separator_stays(cells: list[InventedCell]) -> None:
    shipped = tomllib.loads(SHIPPED_CELL.read_text())
    for number, cell in zip(NUMBERS, cells, strict=True):
        content = tomllib.loads(cell.text)
        for key, (lowest, highest) in DRAWN.items():
            table, name = key.split(".")
            assert lowest <= content[table][name]["value"] <= highest
            assert content[table][name]["source"] == f"drawn: cell {number} of seed 7"
        assert content["layers"]["separator_packing"] == shipped["layers"]["separator_packing"]


def test_cracks_stay_in_the_room_that_particles_leave_them(cells: list[InventedCell]) -> None:
    for cell in cells:
        phantom, twin = Phantom(cell.parameters, cell.seed), CellTwin(cell.parameters, 0.0)
        current_a = -1e-5 * cell.parameters.particles.active_mass.value
        twin.constant_current(0.0, current_a)
        end_s = twin.next_crossing(cell.set_voltages_v["discharged"], rising=False, before_s=1e6)
        assert end_s is not None
        state = twin.state(end_s)
        cracks = phantom.scene(state).cracks
        assert cracks.polar_um.max() < 5.0
        found = truth(phantom, state, ANALYSIS_REGION)
        assert 296 < found["interface_height"] < 310  # um: the region in which cracks are measured ends there
        assert found["high_attenuation_volume"] > 1e5
        assert 440 < state.specific_charge_mah_per_g < 560


def test_the_experiment_declares_the_cell_that_was_invented(tmp_path: Path, cells: list[InventedCell]) -> None:
    for cell in cells:
        (tmp_path / "cell.toml").write_text(cell.text, encoding="utf-8")
        file = tmp_path / "experiment.toml"
        file.write_text(experiment_text(SHIPPED_EXPERIMENT, cell, "cell.toml", "invented"), encoding="utf-8")
        experiment = load_experiment(file)
        refuse_what_cannot_be(file, experiment, GEOMETRY, beamline_file=None, directory=None, replayed=False)
        assert load_cell(tmp_path / "cell.toml") == cell.parameters
        assert experiment.cell.active_mass == cell.parameters.particles.active_mass.value
        assert experiment.rehearsal is not None
        assert experiment.rehearsal.seed == cell.seed
        asked = [tomogram for step in experiment.schedule for tomogram in getattr(step, "tomograms", ())]
        assert [tomogram.name for tomogram in asked] == ["OCV", *cell.set_voltages_v]
        volts = [tomogram.voltage for tomogram in asked[1:]]
        assert volts == list(cell.set_voltages_v.values())
        assert np.all(np.diff(volts[:3]) < 0)


def test_files_of_a_cell_lie_beside_each_other(tmp_path: Path) -> None:
    cell = StudiedCell(3, tmp_path / "three")
    cell.write_files(7)
    assert sorted(path.name for path in cell.folder.iterdir()) == ["cell.toml", "experiment.toml"]
    assert load_experiment(cell.experiment).experiment.name == "invented_cell_3"
