import numpy as np
import pytest
from numpy.typing import NDArray

from live_analysis.corrections.beam_intensity import beam_intensity

NUM_FRAMES, NUM_ROWS, NUM_COLUMNS = 50, 20, 64
DRIFT = 1 + 0.06 * np.sin(np.arange(NUM_FRAMES) / 9)


def seen(half_width: float, integral: float = 1.5, wobble: float = 0.0) -> NDArray[np.float32]:
    """Cylinders that turn off their middle, under a beam that brightens and dims; noise of blocks of 20 pixels."""
    middle = (NUM_COLUMNS - 1) / 2 + wobble * np.cos(np.linspace(0, np.pi, NUM_FRAMES))[:, None]
    u = (np.arange(NUM_COLUMNS)[None] - middle) / half_width
    profile = np.exp(-integral * np.sqrt(np.maximum(1 - u**2, 0)))
    noise = np.random.default_rng(0).normal(1, 0.002, (NUM_FRAMES, NUM_ROWS, NUM_COLUMNS))
    return (DRIFT[:, None, None] * profile[:, None, :] * noise).astype(np.float32)


@pytest.mark.parametrize("wobble", [0.0, 4.0])
def test_the_beam_is_followed_in_the_air_beside_the_object(wobble: float) -> None:
    found = beam_intensity(seen(24, wobble=wobble))
    assert found.brightness is not None
    np.testing.assert_allclose(found.brightness, DRIFT, atol=1e-3)  # 0.2 % over the root of 80 blocks, four times
    assert found.drift == pytest.approx(0.06, abs=2e-3)
    assert found.source.startswith("air in 4 of 64")


@pytest.mark.parametrize("half_width", [40, 80, 400], ids=["truncated", "far out", "almost even"])
@pytest.mark.parametrize("integral", [0.3, 1.5])
def test_a_view_that_the_object_fills_is_left_alone(half_width: float, integral: float) -> None:
    found = beam_intensity(seen(half_width, integral))
    assert found.brightness is None
    assert "no air" in found.source


def test_what_the_experiment_file_says_of_the_cell_goes_before_what_is_seen() -> None:
    found = beam_intensity(seen(24), object_of_view=1.3)
    assert found.brightness is None
    assert "1.3 times as wide" in found.source
    assert beam_intensity(seen(24), object_of_view=0.8).brightness is not None


def test_air_on_one_side_is_not_enough() -> None:
    through = seen(24)
    through[:, :, :30] = through[:, :, 30:31]
    assert beam_intensity(through).brightness is None


def test_blocks_without_light_are_left_out() -> None:
    through = seen(24)
    through[:, 3, :] = np.nan
    found = beam_intensity(through)
    assert found.brightness is not None
    np.testing.assert_allclose(found.brightness, DRIFT, atol=1e-3)
