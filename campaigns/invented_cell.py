"""Inventing a cell: numbers of the shipped cell file drawn anew, between what other cells of this kind could have."""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from campaigns.toml_text import toml_text
from simulators.cell_parameters import CellParameters
from simulators.phantom import Phantom
from simulators.pristine_cell import PhantomError

# Lowest and highest value of what is drawn evenly, in the unit of the cell file. The separator's packing and the beam's
# energy stay: the experiment declares its grey reference by them, and a wrong declaration is not what is studied.
DRAWN = {
    "layers.bore_offset_x": (-200.0, 200.0),
    "layers.bore_offset_y": (-200.0, 200.0),
    "layers.lithium_diameter": (4.0, 6.0),
    "particles.active_mass": (0.85, 1.30),
    "particles.median_diameter": (32.0, 50.0),
    "particles.sigma_log": (0.20, 0.40),
    "particles.regional_load": (0.95, 1.20),
    "particles.inclusion_aspect": (2.0, 4.0),
    "particles.max_inclusion_tilt": (8.0, 25.0),
    "pores.volume_fraction": (0.03, 0.06),
    "cracks.min_radius": (100.0, 140.0),
    "cracks.max_radius": (180.0, 260.0),
    "cracks.closing_ratio": (0.30, 0.70),
    "electrochemistry.side_reaction_share": (0.0, 0.25),
    "copper.residual_segregated_volume": (0.0, 5e4),
    "pressure.initial": (20.0, 40.0),
    "pressure.relaxation_in_24_h": (2.0, 5.0),
    "pressure.relaxation_time": (2e4, 6e4),
    "pressure.stiffness": (0.15, 0.45),
    "beam.axis_offset": (-30.0, 30.0),
}
NUM_CRACKS = (18, 45)
OPENING_PER_CRACK_UM = (0.12, 0.26)  # more, and cracks are thicker than the room that particles leave them
VOLTAGE_SCALE = (0.95, 1.05)  # of all curves of voltage
STRETCH_FROM_MAH_PER_G = 275.0  # charges of the second plateau are stretched, the first is what CuS to Cu2S takes
STRETCH = (0.85, 1.18)  # beyond 1.20 there would be more capacity than CuS has
ONSET_MAH_PER_G = (288.0, 306.0)  # where cracks begin to open, around the step of the voltage
ONSET_AFTER_MAH_PER_G = 20.0  # the curve of cracks begins so far before their onset
MIDDLE_OF_OPENING = (100.0, 0.78)  # so far behind the onset, in mAh/g, so much of the opening is reached
SEGREGATED = (0.6, 1.0)  # of the metallic copper, how much can be seen
GIVEN_BACK = (0.8, 1.8)  # what a charge gives back, in units of the shipped cell's
PHOTONS_PER_PIXEL = (2e4, 6e4)  # a frame counts up to 65535
SET_VOLTAGES_V = {"after_step": 1.7, "second_plateau": 1.2, "discharged": 0.7, "charged": 3.0}  # of the shipped cell
_NUM_TRIES = 50


@dataclass(frozen=True)
class InventedCell:
    """A cell of its own: the text of its file, its parameters, and what the experiment must say about it.

    ``seed`` draws particles, cracks, pores and noise; ``set_voltages_v`` belong to the tomograms of these names.
    """

    text: str
    parameters: CellParameters
    seed: int
    set_voltages_v: Mapping[str, float]
    photons_per_pixel: float


def invent_cell(shipped: Path, seed: int, number: int) -> InventedCell:
    """Draw a cell; the same for the same shipped cell file, seed and number.

    Raises
    ------
    PhantomError
        If many were drawn and none had room for its particles.
    """
    for attempt in range(_NUM_TRIES):
        cell = _draw(shipped, np.random.default_rng((seed, number, attempt)), f"drawn: cell {number} of seed {seed}")
        try:
            Phantom(cell.parameters, cell.seed)
        except PhantomError as error:
            last = error
        else:
            return cell
    raise PhantomError(f"{_NUM_TRIES} cells were drawn and none had room for its particles; of the last: {last}")


def _draw(shipped: Path, chance: np.random.Generator, source: str) -> InventedCell:
    content = tomllib.loads(shipped.read_text(encoding="utf-8"))

    def change(key: str, value: float | list[float]) -> None:
        table = content
        for part in key.split("."):
            table = table[part]
        rounded = [_rounded(one) for one in value] if isinstance(value, list) else _rounded(value)
        table |= {"value": rounded, "source": source}

    for key, (lowest, highest) in DRAWN.items():
        change(key, chance.uniform(lowest, highest))
    voltage_scale, stretch = chance.uniform(*VOLTAGE_SCALE), chance.uniform(*STRETCH)
    _draw_cracks(change, content, chance, stretch)
    copper, electrochemistry = content["copper"], content["electrochemistry"]
    segregated = chance.uniform(*SEGREGATED)
    change("copper.segregated_fraction", [segregated * part for part in copper["segregated_fraction"]["value"]])
    charges = electrochemistry["discharge"]["specific_charge"]["value"]
    change("electrochemistry.discharge.specific_charge", [_stretched(charge, stretch) for charge in charges])
    back = chance.uniform(*GIVEN_BACK)
    returned = electrochemistry["charge"]["returned_fraction"]["value"]
    change("electrochemistry.charge.returned_fraction", [back * part for part in returned])
    for curve in ("discharge", "charge", "later_discharge"):
        volts = electrochemistry[curve]["voltage"]["value"]
        change(f"electrochemistry.{curve}.voltage", [voltage_scale * volt for volt in volts])
    set_voltages_v = {name: round(voltage_scale * volt, 3) for name, volt in SET_VOLTAGES_V.items()}
    change("electrochemistry.charge.cut_off_voltage", set_voltages_v["charged"])
    parameters = CellParameters.model_validate(content)
    photons = round(chance.uniform(*PHOTONS_PER_PIXEL))
    return InventedCell(toml_text(content), parameters, int(chance.integers(2**31)), set_voltages_v, float(photons))


def _draw_cracks(change: Any, content: Mapping[str, Any], chance: np.random.Generator, stretch: float) -> None:
    num_cracks = int(chance.integers(*NUM_CRACKS, endpoint=True))
    opening_um = num_cracks * chance.uniform(*OPENING_PER_CRACK_UM)
    onset = chance.uniform(*ONSET_MAH_PER_G)
    behind, part = MIDDLE_OF_OPENING
    last = _stretched(content["cracks"]["opening"]["specific_charge"]["value"][-1], stretch)
    change("cracks.num_in_region", float(num_cracks))
    change("cracks.opening.specific_charge", [onset - ONSET_AFTER_MAH_PER_G, onset, onset + behind, last])
    change("cracks.opening.opening", [0.0, 0.0, part * opening_um, opening_um])


def _stretched(charge_mah_per_g: float, stretch: float) -> float:
    return charge_mah_per_g + (stretch - 1) * max(charge_mah_per_g - STRETCH_FROM_MAH_PER_G, 0.0)


def _rounded(value: float) -> float:
    """Five digits are more than anybody knows, and can be read."""
    return float(f"{value:.5g}")
