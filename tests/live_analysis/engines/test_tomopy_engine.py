import numpy as np
import pytest

from live_analysis.engines.engine import Scan
from live_analysis.engines.tomopy_engine import filtered_for_gridrec, padded_width
from live_analysis.reconstruction.ramp_filter import UM_PER_CM
from tests.live_analysis.phantoms import evenly


@pytest.mark.parametrize("num_columns", [64, 65])
def test_what_gridrec_is_given_sums_to_attenuation_about_the_origin_that_it_uses(num_columns: int) -> None:
    """The sum is taken here as gridrec defines it: cosines of each projection, column 0 on the origin, one weight."""
    angles_deg = np.concatenate([evenly(80, 0.75), 60 + evenly(80, 1.5)])
    theta, (x, y), sigma, axis_column = np.radians(angles_deg), (5.0, -4.0), 5.0, 30.3
    seen_at = axis_column + x * np.cos(theta) + y * np.sin(theta)
    blob = np.exp(-0.5 * ((np.arange(num_columns) - seen_at[:, None]) / sigma) ** 2)
    width = padded_width(num_columns, 0)
    assert width == {64: 128, 65: 256}[num_columns]
    scan = Scan(blob[:, None].astype(np.float32), angles_deg, axis_column, UM_PER_CM)
    sinograms, means = filtered_for_gridrec(scan, slice(0, 1), width)
    spectrum = np.fft.rfft(sinograms[0].astype(np.float64)) * np.pi / len(angles_deg) / width
    assert spectrum[:, 0].real.sum() == pytest.approx(means[0], rel=1e-5)
    # Point i of an even number lies i - num / 2 from gridrec's origin; of an odd one, one point more is asked for.
    points = np.array([(5.0, -4.0), (8.0, -6.0), (2.0, 1.0), (5.0, 15.0)])
    asked = points + (num_columns - 1) / 2 - num_columns // 2
    cycles = np.arange(width // 2 + 1) / width
    u = np.outer(asked[:, 0], np.cos(theta)) + np.outer(asked[:, 1], np.sin(theta))
    waves = np.exp(2j * np.pi * cycles[1:] * u[..., None])
    found = 2 * (spectrum[:, 1:] * waves).real.sum(axis=(1, 2)) + means[0]
    peak = 1 / (sigma * np.sqrt(2 * np.pi))
    known = peak * np.exp(-0.5 * ((points[:, 0] - x) ** 2 + (points[:, 1] - y) ** 2) / sigma**2)
    assert found == pytest.approx(known, abs=0.002 * peak)  # the blob is cut off at three and a half sigma
