import numpy as np
import pytest

from live_analysis.matrix_attenuation import matrix_attenuation


@pytest.mark.parametrize("inclusion_per_cm", [24.6, 4.7, 0.0])
def test_the_matrix_is_told_apart_from_particles_and_voids(inclusion_per_cm: float) -> None:
    rng = np.random.default_rng(0)
    values = np.full((40, 60, 60), 1.98)
    z, y, x = np.ogrid[:40, :60, :60]
    for centre in rng.uniform(8, 32, (8, 3)):
        values[(z - centre[0]) ** 2 + (y - 1.6 * centre[1]) ** 2 + (x - 1.6 * centre[2]) ** 2 < 36] = inclusion_per_cm
    noisy = (values + rng.normal(0, 1.5, values.shape)).astype(np.float32)
    noisy[:, :3] = np.nan
    found = matrix_attenuation(noisy)
    assert found.per_cm == pytest.approx(1.98, abs=0.03)  # 1/cm; the median of all voxels is off by up to 0.1
    assert 0 < found.uncertainty_per_cm < 0.03
    assert 0.4 < found.fraction < 1
