import numpy as np
import pytest

from live_analysis.corrections.camera_limit import camera_limit

NOISY = np.random.default_rng(4).poisson(4000, (3, 40, 40))


@pytest.mark.parametrize(
    ("flats", "limit"),
    [
        (np.minimum(NOISY, 4095).astype(np.uint16), 4095),
        (np.minimum(NOISY, 4030).astype(np.float32), 4030),
        (np.full((3, 40, 40), 4095, np.uint16), 4095),
        (np.full((3, 40, 40), 4095 << 4, np.uint16), 65520),
        (NOISY.astype(np.uint16), 65535),
        (np.full((3, 40, 40), 10_000, np.uint16), 65535),
        (np.ones((3, 40, 40), np.float32), np.inf),
        ((NOISY // 300).astype(np.uint8), 255),
        (50 * NOISY.astype(np.int32), np.inf),
        (np.full((3, 40, 40), np.nan, np.float32), np.inf),
    ],
    ids=[
        "12 bits",
        "real numbers",
        "nothing else",
        "moved up",
        "noise",
        "computed",
        "ones",
        "few counts",
        "wide",
        "nan",
    ],
)
def test_a_camera_stops_where_pixels_pile_up(flats: np.ndarray, limit: float) -> None:
    assert camera_limit(flats, flats.dtype) == limit
