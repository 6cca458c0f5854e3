"""The unit in which charge is shown: per gram of active mass where the experiment tells it."""

from dataclasses import dataclass
from pathlib import Path

from operando.model.ordinary_file import ordinary_file
from operando.model.toml_file import toml_content
from operando.model.units import parse_quantity
from operando.monitor.reading.shown_text import shown_name, shown_text

MG_PER_G = 1e3


@dataclass(frozen=True)
class ChargeUnit:
    """Shown charge = mAh times ``factor``; ``problem`` says why it is not per gram."""

    factor: float = 1.0
    text: str = "mAh"
    problem: str = "How much active mass there is is not known yet: charge is in mAh"

    @property
    def is_specific(self) -> bool:
        """Whether charge is per gram."""
        return self.text != "mAh"


def specific_charge(active_mass_mg: float) -> ChargeUnit:
    """Return the unit for a mass of active material."""
    return ChargeUnit(MG_PER_G / active_mass_mg, "mAh/g", "")


def read_charge_unit(experiment: Path) -> ChargeUnit:
    """Read the active mass from an experiment file, whatever else is wrong with it."""
    try:
        written = toml_content(ordinary_file(experiment))["cell"]["active_mass"]
        active_mass_mg = parse_quantity(written, "mg")
    except FileNotFoundError:
        return ChargeUnit(problem=f"There is no {experiment.name}: charge is in mAh, not per gram")
    except (KeyError, TypeError):
        return ChargeUnit(problem=f"{experiment.name} tells no cell.active_mass: charge is in mAh, not per gram")
    except (OSError, ValueError) as error:
        why = shown_text(error)
        return ChargeUnit(problem=f"{experiment.name} cannot be read ({why}): charge is in mAh, not per gram")
    if not 0 < active_mass_mg < float("inf"):
        return ChargeUnit(problem=f"cell.active_mass is {shown_name(written)}: charge is in mAh, not per gram")
    return specific_charge(active_mass_mg)
