"""What the inside of the simulated cell is at one moment: everything the phantom and the load cell need to know."""

from dataclasses import dataclass


@dataclass(frozen=True)
class CellState:
    """Extents of reaction and what they do to the layers; lengths in um, all relative to the pristine cell.

    ``cu2s_fraction`` and ``cu_fraction`` are the parts of all copper atoms that sit in Cu2S and in metallic Cu;
    the rest is in CuS. ``segregated_fraction`` is the part of all copper atoms in resolved metallic inclusions;
    what is metallic but not segregated lies dispersed below the resolution. ``side_charge_mah_per_g`` is the charge
    that did not change CuS: it takes lithium and makes nothing expand.
    """

    time_s: float
    charge_mah: float
    specific_charge_mah_per_g: float
    side_charge_mah_per_g: float
    cu2s_fraction: float
    cu_fraction: float
    segregated_fraction: float
    expansion_um: float
    crack_opening_um: float
    interface_um: float
    lithium_loss_um: float

    @property
    def stack_change_um(self) -> float:
        """Change of the stack's height: what the interface gained less what the lithium lost."""
        return self.interface_um - self.lithium_loss_um
