"""Constants of the materials in and around a cell: composition, density, molar volume, X-ray attenuation.

Densities and molar volumes are those of the published cells or from unit cells and handbooks; attenuation comes from
the Elam tables of xraydb (total cross section).
"""

import math
from dataclasses import dataclass
from functools import lru_cache

FARADAY_C_PER_MOL = 96485.33212  # CODATA 2018
COULOMB_PER_MAH = 3.6
WAVELENGTH_CM_KEV = 1.239841984e-7  # h c, CODATA 2018


class MaterialError(KeyError):
    """A material that the table does not hold."""

    def __str__(self) -> str:
        """Return the sentence without the quotes a KeyError adds."""
        return str(self.args[0])


@dataclass(frozen=True)
class Material:
    """One dense material."""

    formula: str
    molar_mass_g: float
    density_g_per_cm3: float
    molar_volume_cm3: float
    source: str


_VOLUMES = "published molar volume, doi:10.1002/aenm.202203143"
_CELL = "unit cell or handbook"
MATERIALS = {
    "CuS": Material("CuS", 95.61, 4.759, 20.09, _VOLUMES),
    "Cu2S": Material("Cu2S", 159.15, 5.600, 28.42, _VOLUMES),
    "Cu": Material("Cu", 63.55, 8.963, 7.09, _VOLUMES),
    "Li2S": Material("Li2S", 45.94, 1.640, 28.02, _VOLUMES),
    "Li3PS4": Material("Li3PS4", 180.03, 1.853, 97.14, _CELL),
    "amorphous_Li3PS4": Material("Li3PS4", 180.03, 1.880, 95.76, _CELL),
    "Li6PS5Cl": Material("Li6PS5Cl", 268.37, 1.860, 144.27, _CELL),
    "Li5.4PS4.4Cl1.6": Material("Li5.4PS4.4Cl1.6", 266.24, 1.879, 141.70, _CELL),
    "Li10SnP2S12": Material("Li10SnP2S12", 634.78, 2.155, 294.50, _CELL),
    "Li": Material("Li", 6.94, 0.534, 13.00, _VOLUMES),
    "In": Material("In", 114.82, 7.310, 15.71, _CELL),
    "InLi": Material("InLi", 121.76, 5.168, 23.56, _CELL),
    "NMC811": Material("LiNi0.8Mn0.1Co0.1O2", 97.28, 4.770, 20.39, _CELL),
    "NMC622": Material("LiNi0.6Mn0.2Co0.2O2", 96.93, 4.770, 20.32, _CELL),
    "LiZr2P3O12": Material("LiZr2P3O12", 474.30, 3.135, 151.29, _CELL),
    "steel_316L": Material("Fe0.655Cr0.173Ni0.121Mo0.025Mn0.02Si0.006", 56.34, 7.980, 7.06, _CELL),
    "Al": Material("Al", 26.98, 2.700, 9.99, _CELL),
    "PEEK": Material("C19H12O3", 288.30, 1.320, 218.41, _CELL),
    "PAI": Material("C22H14N2O3", 354.36, 1.420, 249.55, _CELL),
    "polyimide": Material("C22H10N2O5", 382.33, 1.420, 269.25, _CELL),
    "PTFE": Material("C2F4", 100.02, 2.180, 45.88, _CELL),
    "carbon": Material("C", 12.01, 1.900, 6.32, _CELL),
}


def material(name: str) -> Material:
    """Return a material by its name.

    Raises
    ------
    MaterialError
        If the table does not hold it.
    """
    try:
        return MATERIALS[name]
    except KeyError:
        raise MaterialError(f"{name!r} is no known material; known are {', '.join(MATERIALS)}.") from None


@lru_cache(maxsize=1024)
def attenuation_per_cm(name: str, energy_kev: float, *, packing: float = 1.0) -> float:
    """Return the linear attenuation coefficient in 1/cm of a material that fills ``packing`` of its volume.

    Raises
    ------
    MaterialError
        If the material is not known.

    References
    ----------
    Elam, Ravel and Sieber, Radiat. Phys. Chem. 63 (2002) 121, through xraydb.
    """
    dense = material(name)
    import xraydb  # half a second, with a database: only where X-rays are counted

    return packing * float(xraydb.material_mu(dense.formula, energy_kev * 1e3, density=dense.density_g_per_cm3))


@lru_cache(maxsize=1024)
def refraction(name: str, energy_kev: float) -> tuple[float, float]:
    """Return delta and beta of a dense material: the refractive index is 1 - delta + i beta; both are unitless.

    Beta is that of the photoelectric absorption and scattering together, so that 4 pi beta / wavelength is
    `attenuation_per_cm`.

    Raises
    ------
    MaterialError
        If the material is not known.

    References
    ----------
    Chantler's tables (anomalous scattering factors) and Elam's (attenuation), through xraydb.
    """
    dense = material(name)
    import xraydb

    delta, _, _ = xraydb.xray_delta_beta(dense.formula, dense.density_g_per_cm3, energy_kev * 1e3)
    wavelength_cm = WAVELENGTH_CM_KEV / energy_kev
    return float(delta), attenuation_per_cm(name, energy_kev) * wavelength_cm / (4 * math.pi)
