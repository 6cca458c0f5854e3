"""Volumes that the charge asks for, by Faraday's law and molar volumes, to be put beside those that the images show.

Lithium reacts with CuS in two steps: CuS + Li -> 1/2 Cu2S + 1/2 Li2S, then 1/2 Cu2S + Li -> Cu + 1/2 Li2S.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass

from live_analysis.quantity import Quantity
from live_analysis.states.pristine_particles import PristineParticles
from operando.model.materials import COULOMB_PER_MAH, FARADAY_C_PER_MOL, material

UM_PER_CM = 1e4
MM2_PER_CM2 = 100.0

BEYOND_THEORY = "charge_beyond_theory"
WAY_BACK_ASSUMED = "way_back_assumed"
WITHOUT_CRACKS = "without_cracks"


@dataclass(frozen=True)
class PassedCharge:
    """Charge since the cell was pristine, discharge negative, and what it flowed through.

    ``charging`` says that the last current was a charging one: that the way back is the way there is then assumed.
    """

    charge_mah: float
    uncertainty_mah: float
    active_mass_mg: float
    bore_diameter_mm: float
    lithium_diameter_mm: float | None = None
    charging: bool = False

    @property
    def active_mol(self) -> float:
        """Amount of CuS."""
        return self.active_mass_mg * 1e-3 / material("CuS").molar_mass_g

    @property
    def electrons(self) -> float:
        """Electrons taken up by each CuS."""
        return self._electrons(-self.charge_mah)

    @property
    def uncertain_electrons(self) -> float:
        """Standard deviation of that."""
        return self._electrons(self.uncertainty_mah)

    def _electrons(self, charge_mah: float) -> float:
        return charge_mah * COULOMB_PER_MAH / FARADAY_C_PER_MOL / self.active_mol


def metallic_share(electrons: float) -> float:
    """Return the part of all copper that is metallic."""
    return min(max(electrons - 1.0, 0.0), 1.0)


def solid_cm3_per_copper(electrons: float) -> float:
    """Return the volume in cm3 of what one mol of CuS has become."""
    taken = min(max(electrons, 0.0), 2.0)
    metal = metallic_share(taken)
    cu2s = min(taken, 1.0) - metal
    mol = {"CuS": 1.0 - min(taken, 1.0), "Cu2S": cu2s / 2, "Cu": metal, "Li2S": taken / 2}
    return sum(amount * material(name).molar_volume_cm3 for name, amount in mol.items())


def expected_quantities(charge: PassedCharge, particles: PristineParticles | None) -> Iterator[Quantity]:
    """Give what the charge asks for.

    ``expected_copper_volume`` (um3, of the region, if all of it were resolved metal) and ``expected_particle_volume``
    (um3, of the region) where its CuS was measured; ``expected_particle_growth`` (volume over the pristine one),
    ``expected_cathode_expansion`` (um, all of it along the stack) and, with the diameter of the lithium,
    ``expected_stack_change`` (um): expansion less what the lithium lost, cracks not counted.
    """
    pristine_cm3 = material("CuS").molar_volume_cm3
    electrons, uncertain = charge.electrons, charge.uncertain_electrons
    flags = (BEYOND_THEORY,) if electrons > 2.0 else ()
    flags = (*flags, WAY_BACK_ASSUMED) if charge.charging else flags
    details = {"electrons_per_copper": electrons, "metallic_share": metallic_share(electrons)}
    growth = solid_cm3_per_copper(electrons) / pristine_cm3
    steeper = abs(solid_cm3_per_copper(electrons + uncertain) - solid_cm3_per_copper(electrons - uncertain)) / 2
    uncertain_growth = steeper / pristine_cm3
    if particles is not None:
        cus_um3, cus_uncertainty_um3 = particles.volume_um3, particles.volume_uncertainty_um3
        copper = material("Cu").molar_volume_cm3 / pristine_cm3
        share = metallic_share(electrons)
        uncertain_share = (metallic_share(electrons + uncertain) - metallic_share(electrons - uncertain)) / 2
        yield Quantity(
            "expected_copper_volume",
            cus_um3 * copper * share,
            "um3",
            copper * math.hypot(cus_uncertainty_um3 * share, cus_um3 * uncertain_share),
            flags,
            {**details, "pristine_cus_volume_um3": cus_um3},
        )
        yield Quantity(
            "expected_particle_volume",
            cus_um3 * growth,
            "um3",
            math.hypot(cus_uncertainty_um3 * growth, cus_um3 * uncertain_growth),
            flags,
        )
    yield Quantity("expected_particle_growth", growth, "1", uncertain_growth, flags, details)
    um_per_growth = charge.active_mol * pristine_cm3 / _area_cm2(charge.bore_diameter_mm) * UM_PER_CM
    expansion_um, uncertain_um = um_per_growth * (growth - 1), um_per_growth * uncertain_growth
    yield Quantity("expected_cathode_expansion", expansion_um, "um", uncertain_um, flags)
    if charge.lithium_diameter_mm is not None:
        lithium_cm3 = charge.active_mol * material("Li").molar_volume_cm3
        um_per_electron = lithium_cm3 / _area_cm2(charge.lithium_diameter_mm) * UM_PER_CM
        yield Quantity(
            "expected_stack_change",
            expansion_um - um_per_electron * electrons,
            "um",
            abs(uncertain_um - um_per_electron * uncertain),
            (*flags, WITHOUT_CRACKS),
            {"lithium_loss_um": um_per_electron * electrons},
        )


def _area_cm2(diameter_mm: float) -> float:
    return math.pi / 4 * diameter_mm**2 / MM2_PER_CM2
