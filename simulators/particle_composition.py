"""What a CuS particle is made of at one state of charge: amounts, volume, attenuation of the residue around its copper."""

from dataclasses import dataclass

from operando.model.materials import attenuation_per_cm, material
from simulators.cell_state import CellState


@dataclass(frozen=True)
class ParticleComposition:
    """Volumes of the phases per volume of pristine CuS; metallic copper is split into what is seen and what is not."""

    cus: float
    cu2s: float
    segregated_cu: float
    dispersed_cu: float
    li2s: float

    @property
    def residue(self) -> float:
        """Volume of everything but the segregated copper."""
        return self.cus + self.cu2s + self.dispersed_cu + self.li2s

    @property
    def total(self) -> float:
        """Volume of the whole particle."""
        return self.residue + self.segregated_cu

    def residue_attenuation_per_cm(self, energy_kev: float) -> float:
        """Return the attenuation of the fine mixture around the segregated copper."""
        parts = {"CuS": self.cus, "Cu2S": self.cu2s, "Cu": self.dispersed_cu, "Li2S": self.li2s}
        return sum(part * attenuation_per_cm(name, energy_kev) for name, part in parts.items()) / self.residue


def composition(state: CellState) -> ParticleComposition:
    """Return what every particle is made of.

    Copper and sulphur are conserved: per mole of Cu, half of ``cu2s_fraction`` is the amount of Cu2S, and the sulphur
    in neither CuS nor Cu2S is in Li2S.
    """
    cus_mol = 1 - state.cu2s_fraction - state.cu_fraction
    cu2s_mol = state.cu2s_fraction / 2
    pristine_cm3 = material("CuS").molar_volume_cm3

    def volume(name: str, amount_mol: float) -> float:
        return amount_mol * material(name).molar_volume_cm3 / pristine_cm3

    return ParticleComposition(
        cus=volume("CuS", cus_mol),
        cu2s=volume("Cu2S", cu2s_mol),
        segregated_cu=volume("Cu", state.segregated_fraction),
        dispersed_cu=volume("Cu", state.cu_fraction - state.segregated_fraction),
        li2s=volume("Li2S", 1 - cus_mol - cu2s_mol),
    )
