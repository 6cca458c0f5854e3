"""What the experiment file says of phase retrieval: the single material it assumes, and how far the camera stands."""

import math

from pydantic import Field, model_validator

from operando.model.materials import WAVELENGTH_CM_KEV, MaterialError, material, refraction
from operando.model.toml_file import Table
from operando.model.units import Millimetres

UM_PER_CM = 1e4


class PhaseRetrieval(Table):
    """Free-space propagation of a parallel beam behind one material, named or by its ratio delta / beta."""

    distance: Millimetres = Field(gt=0)
    delta_over_beta: float | None = Field(default=None, strict=True, gt=0, le=1e6)
    material: str | None = None

    @model_validator(mode="after")
    def _one_of_two(self) -> "PhaseRetrieval":
        if (self.delta_over_beta is None) == (self.material is None):
            raise ValueError(
                "phase_retrieval needs either delta_over_beta, as in 200, or the material whose tabulated ratio is "
                "meant, and not both"
            )
        if self.material is not None:
            try:
                material(self.material)
            except MaterialError as error:
                raise ValueError(str(error).removesuffix(".")) from None
        return self

    def ratio(self, energy_kev: float) -> float:
        """Return delta / beta, unitless, at a photon energy."""
        if self.delta_over_beta is not None:
            return self.delta_over_beta
        assert self.material is not None
        delta, beta = refraction(self.material, energy_kev)
        return delta / beta

    def delta_over_mu_um(self, energy_kev: float) -> float:
        """Return delta / mu in um, with mu = 4 pi beta / wavelength."""
        wavelength_um = WAVELENGTH_CM_KEV * UM_PER_CM / energy_kev
        return self.ratio(energy_kev) * wavelength_um / (4 * math.pi)
