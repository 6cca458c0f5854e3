"""The experiment that measures an invented cell: the shipped one, its first cycle only, told about this cell."""

import tomllib
from pathlib import Path

from campaigns.invented_cell import InventedCell
from campaigns.toml_text import toml_text

GEOMETRY = "quick"
BELOW_V, ABOVE_V = 0.05, 0.10  # the limits of voltage lie so far beyond the set voltages
LEAST_PRESSURE_MPA, MOST_PRESSURE = 2.0, 1.35  # the limits of pressure; the upper one in units of the cell's own


def experiment_text(shipped: Path, cell: InventedCell, cell_file: str, name: str) -> str:
    """Return the text of an experiment file.

    Parameters
    ----------
    shipped
        Experiment file to start from; its published numbers belong to another cell and are left out.
    cell, cell_file
        The cell, and the name of its file beside the experiment's.
    name
        Name of the experiment.
    """
    content = tomllib.loads(shipped.read_text(encoding="utf-8"))
    parameters, volts = cell.parameters, cell.set_voltages_v
    pressure_mpa = parameters.pressure.initial.value
    content["experiment"] = {"name": name, "title": "An invented cell, tomograms at set voltages of its first cycle"}
    content["cell"] |= {
        "active_mass": f"{parameters.particles.active_mass.value!r} mg",
        "stack_pressure": f"{pressure_mpa!r} MPa",
        "lower_voltage": f"{volts['discharged']!r} V",
        "upper_voltage": f"{volts['charged']!r} V",
        "lithium_diameter": f"{parameters.layers.lithium_diameter.value!r} mm",
    }
    content["limits"] |= {
        "min_voltage": f"{volts['discharged'] - BELOW_V:.3f} V",
        "max_voltage": f"{volts['charged'] + ABOVE_V:.3f} V",
        "min_stack_pressure": f"{LEAST_PRESSURE_MPA} MPa",
        "max_stack_pressure": f"{MOST_PRESSURE * pressure_mpa:.2f} MPa",
    }
    content["geometry"] = {
        GEOMETRY: content["geometry"][GEOMETRY] | {"photons_per_pixel": cell.photons_per_pixel},
    }
    content["rehearsal"] |= {"cell": cell_file, "seed": cell.seed}
    rest, discharge, charge = content["schedule"][:3]
    for step in (discharge, charge):
        names = [name for name in volts if (name == "charged") is (step is charge)]
        step["until_voltage"] = f"{volts[names[-1]]!r} V"
        step["tomograms"] = [{"name": name, "voltage": f"{volts[name]!r} V"} for name in names]
    content["schedule"] = [rest, discharge, charge]
    del content["published"]
    return toml_text(content)
