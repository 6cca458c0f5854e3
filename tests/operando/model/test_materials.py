"""Attenuation agrees with the printed tables; wrong names are refused."""

import pytest

from operando.model.materials import MATERIALS, MaterialError, attenuation_per_cm


@pytest.mark.parametrize(
    ("name", "energy_kev", "printed_per_cm"),
    [
        ("CuS", 35, 24.60),
        ("Cu2S", 35, 33.20),
        ("Cu", 35, 63.40),
        ("Cu", 100, 4.109),
        ("Li2S", 35, 1.672),
        ("Li3PS4", 35, 2.232),
        ("Li", 35, 0.085),
        ("PEEK", 35, 0.322),
        ("steel_316L", 35, 46.47),
        ("In", 30, 288.7),
        ("NMC811", 25, 48.25),
    ],
)
def test_attenuation_is_that_of_the_tables(name: str, energy_kev: float, printed_per_cm: float) -> None:
    # 1 %: the printed values are rounded to three or four digits
    assert attenuation_per_cm(name, energy_kev) == pytest.approx(printed_per_cm, rel=0.01)


def test_molar_volume_mass_and_density_agree() -> None:
    for name, entry in MATERIALS.items():
        # 0.5 %: rounding of the printed densities
        assert entry.molar_mass_g / entry.density_g_per_cm3 == pytest.approx(entry.molar_volume_cm3, rel=0.005), name


def test_an_unknown_material_is_refused_with_the_known_ones() -> None:
    with pytest.raises(MaterialError, match=r"unobtainium.*CuS"):
        attenuation_per_cm("unobtainium", 35.0)
