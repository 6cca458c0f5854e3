import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from live_analysis.reconstruction.cylinder_model import CylinderFitError, fit_cylinder
from operando.model.geometry import CellGeometry
from tests.live_analysis.phantoms import Detector, cylinder, evenly, expose, particles_in_bore

CELL = CellGeometry(bore_diameter_mm=6.0, wall_outer_diameter_mm=16.0, wall_material="PEEK")
PEEK_PER_CM = 0.322


def bore_and_wall(detector: Detector, per_cm: float, x_um: float, y_um: float) -> NDArray[np.float64]:
    return cylinder(detector, 3000, per_cm - PEEK_PER_CM, x_um, y_um) + cylinder(
        detector, 8000, PEEK_PER_CM, x_um, y_um
    )


@settings(max_examples=6, deadline=None)
@given(st.floats(1.0, 4.0), st.floats(-300, 300), st.floats(-300, 300))
def test_content_and_position_of_a_uniform_bore_are_found(per_cm: float, x_um: float, y_um: float) -> None:
    detector = Detector(evenly(60, 3.0), 1, 160, 14.0, 81.2)
    integrals = bore_and_wall(detector, per_cm, x_um, y_um).astype(np.float32)
    fit = fit_cylinder(integrals, detector.angles_deg, 81.2, 14.0, CELL, PEEK_PER_CM)
    assert fit.content_per_cm[0] == pytest.approx(per_cm, rel=1e-3)
    assert (fit.centre_x_um, fit.centre_y_um) == pytest.approx((x_um, y_um), abs=1.0)  # um, of 6 mm
    model = fit.integrals(detector.angles_deg, 81.2, 160, 14.0)
    np.testing.assert_allclose(model, integrals, atol=2e-3)


def test_particles_and_noise_do_not_pull_the_fit_away() -> None:
    detector = Detector(evenly(90, 2.0), 8, 160, 14.0, 79.5)
    integrals = np.repeat(bore_and_wall(detector, 2.1, 100, 50), 8, axis=1)
    for particle in particles_in_bore(detector, 3000, 300, 22.5, seed=1):
        particle.add_to(integrals, detector)
    noisy = expose(integrals, 4e4, 14.0, 5.0, seed=2)
    fit = fit_cylinder(noisy, detector.angles_deg, 79.5, 14.0, CELL, PEEK_PER_CM)
    np.testing.assert_allclose(fit.content_per_cm, 2.1, rtol=0.05)  # particles add 2 to 4 % to the mean content
    # Each 100 um tilts the grey values by 4 % across a 2.25 mm view; more rows average particles out.
    assert np.hypot(fit.centre_x_um - 100, fit.centre_y_um - 50) < 120


def test_rows_are_fitted_separately() -> None:
    detector = Detector(evenly(60, 3.0), 1, 160, 14.0, 79.5)
    rows = [bore_and_wall(detector, per_cm, 0, 0) for per_cm in (2.0, 3.0)]
    fit = fit_cylinder(
        np.concatenate(rows, axis=1).astype(np.float32), detector.angles_deg, 79.5, 14.0, CELL, PEEK_PER_CM
    )
    np.testing.assert_allclose(fit.content_per_cm, [2.0, 3.0], rtol=1e-3)
    # In the bore, in the wall and outside, in um from the axis.
    values = fit.attenuation(np.array([0.0, 5e3, 9e3]) / 14.0, np.zeros(1), 14.0, slice(1, 2))
    np.testing.assert_allclose(values, [[3.0, PEEK_PER_CM, 0.0]], rtol=1e-3)


def test_a_wall_that_is_not_there_is_refused() -> None:
    detector = Detector(evenly(60, 3.0), 1, 160, 50.0, 79.5)  # 8 mm
    thin = (cylinder(detector, 3000, 2.0 - PEEK_PER_CM) + cylinder(detector, 3500, PEEK_PER_CM)).astype(np.float32)
    with pytest.raises(CylinderFitError, match=r"a wall of 16\.0 mm would have an attenuation integral of 0\.4"):
        fit_cylinder(thin, detector.angles_deg, 79.5, 50.0, CELL, PEEK_PER_CM)
    declared = CellGeometry(bore_diameter_mm=6.0, wall_outer_diameter_mm=7.0, wall_material="PEEK")
    assert fit_cylinder(thin, detector.angles_deg, 79.5, 50.0, declared, PEEK_PER_CM).content_per_cm == pytest.approx(
        2.0, rel=0.005
    )


def test_projections_of_air_are_refused() -> None:
    with pytest.raises(CylinderFitError, match="Check bore, wall and energy"):
        fit_cylinder(np.zeros((30, 2, 160), np.float32), evenly(30, 6.0), 79.5, 14.0, CELL, PEEK_PER_CM)
