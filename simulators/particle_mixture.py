"""What a particle consists of: mass balance of copper and sulfur over CuS, Cu2S, Li2S and metallic copper."""

from dataclasses import dataclass

from operando.model.materials import attenuation_per_cm, material
from simulators.cell_state import CellState


@dataclass(frozen=True)
class ParticleMixture:
    """Volumes in units of the pristine particle's, attenuation of everything but the resolved copper.

    ``particle_growth`` is the whole particle, ``inclusion_share`` its resolved metallic copper,
    ``dispersed_copper_share`` the metallic copper and ``cu2s_share`` the Cu2S that are mixed finely with the rest.
    """

    particle_growth: float
    inclusion_share: float
    dispersed_copper_share: float
    cu2s_share: float
    residue_per_cm: float


def particle_mixture(state: CellState, energy_kev: float) -> ParticleMixture:
    """Return the composition of every particle in a state, finely mixed except for the inclusion."""
    segregated = min(max(state.segregated_fraction, 0.0), state.cu_fraction)
    cus = 1 - state.cu2s_fraction - state.cu_fraction
    mol_per_copper = {
        "CuS": cus,
        "Cu2S": state.cu2s_fraction / 2,
        "Li2S": 1 - cus - state.cu2s_fraction / 2,
        "Cu": state.cu_fraction - segregated,
    }
    pristine_cm3 = material("CuS").molar_volume_cm3
    share = {name: mol * material(name).molar_volume_cm3 / pristine_cm3 for name, mol in mol_per_copper.items()}
    inclusion = segregated * material("Cu").molar_volume_cm3 / pristine_cm3
    residue = sum(share.values())
    residue_per_cm = sum(part * attenuation_per_cm(name, energy_kev) for name, part in share.items()) / residue
    return ParticleMixture(residue + inclusion, inclusion, share["Cu"], share["Cu2S"], residue_per_cm)
