"""A beam that fails within an exposure is noticed, an object that changes as it turns is not."""

import numpy as np
import pytest
from numpy.typing import NDArray

from live_analysis.corrections.beam_steps import unsteady_projections


def turned(num: int, kind: str) -> NDArray[np.float32]:
    """Transmission of an object that fills the view, with noise of 1 %, shape (num, 6, 16)."""
    angles = np.linspace(0, np.pi, num, endpoint=False)
    column = np.linspace(-1, 1, 16)
    along = {"cell": 1.5 + 0.2 * np.cos(2 * angles), "plate": 0.2 / np.maximum(np.abs(np.cos(angles)), 0.08)}[kind]
    noise = np.random.default_rng(num).normal(1, 0.01, (num, 6, 16))
    return np.asarray(np.exp(-along[:, None, None] * (1 - 0.3 * column**2)) * noise, np.float32)


@pytest.mark.parametrize(
    ("num", "kind"), [(45, "cell"), (360, "cell"), (2256, "cell"), (360, "plate"), (2256, "plate")]
)
def test_a_turning_object_is_steady(num: int, kind: str) -> None:
    assert not unsteady_projections(turned(num, kind)).any()


@pytest.mark.parametrize("left", [0.0, 0.3, 0.9, 1.1])
def test_projections_with_another_beam_are_named(left: float) -> None:
    transmission = turned(360, "cell")
    struck = np.zeros(360, bool)
    struck[[0, 100, 101, 359]] = True
    transmission[struck] *= left
    assert np.array_equal(unsteady_projections(transmission), struck)
