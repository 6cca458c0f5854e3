"""How far the pressure of a closed cell falls at rest."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import least_squares

MIN_SAMPLES = 16
MAX_SAMPLES = 2000  # of a long rest: more tell nothing more about four parameters
_LOWEST_EXPONENT, _HIGHEST_EXPONENT = 0.2, 1.5


class RelaxationError(ValueError):
    """Samples that tell no relaxation."""


@dataclass(frozen=True)
class Relaxation:
    """Fall of the pressure from the first sample to the last, in MPa, and the law that was fitted to it.

    ``fall_uncertainty_mpa`` is one standard deviation, from the scatter about the law; errors of the sensor that do
    not scatter are not in it. ``scatter_mpa`` is that of a single sample.
    """

    initial_mpa: float
    fall_mpa: float
    fall_uncertainty_mpa: float
    time_constant_s: float
    exponent: float
    scatter_mpa: float


def fit_relaxation(time_s: NDArray[np.float64], pressure_mpa: NDArray[np.float64]) -> Relaxation:
    """Fit a stretched exponential, ``p(t) = p0 - a (1 - exp(-(t / tau)^b))``.

    It is the common law of stress relaxation in disordered solids (Kohlrausch 1854; Williams and Watts, Trans.
    Faraday Soc. 66, 80, 1970, doi:10.1039/TF9706600080). The fall is that of the law between the first and the last
    sample, so that the scatter of single samples averages out; parameters of the law itself are known worse, since
    they can stand in for each other.

    Parameters
    ----------
    time_s, pressure_mpa
        Samples of one rest in order of time, shape (sample,).

    Raises
    ------
    RelaxationError
        If there are too few samples.
    """
    if len(time_s) < MIN_SAMPLES or time_s[-1] <= time_s[0]:
        raise RelaxationError(
            f"the rest has {len(time_s)} samples of the pressure; {MIN_SAMPLES} at different times are needed."
        )
    chosen = np.unique(np.linspace(0, len(time_s) - 1, MAX_SAMPLES).round().astype(int))
    t, p = time_s[chosen] - time_s[0], pressure_mpa[chosen]
    length_s = float(t[-1])

    def law(parameters: NDArray[np.float64], at_s: NDArray[np.float64]) -> NDArray[np.float64]:
        initial, amplitude, log_tau, exponent = parameters
        return np.asarray(initial - amplitude * -np.expm1(-((at_s / np.exp(log_tau)) ** exponent)))

    found = least_squares(
        lambda parameters: law(parameters, t) - p,
        (float(p[0]), float(p[0] - p[-1]), np.log(length_s / 3), 0.7),
        bounds=(
            (-np.inf, -np.inf, np.log(length_s / 1e4), _LOWEST_EXPONENT),
            (np.inf, np.inf, np.log(length_s * 1e2), _HIGHEST_EXPONENT),
        ),
        x_scale=(1.0, max(abs(float(p[0] - p[-1])), 1e-3), 1.0, 0.3),
    )
    scatter = float(np.sqrt(np.sum(found.fun**2) / max(len(t) - 4, 1)))
    ends = np.array([0.0, length_s])
    initial, final = law(found.x, ends)
    gradient = np.array([_difference(law, found.x, k, ends) for k in range(4)])
    variance = gradient @ np.linalg.pinv(found.jac.T @ found.jac) @ gradient * scatter**2
    return Relaxation(
        initial_mpa=float(initial),
        fall_mpa=float(initial - final),
        fall_uncertainty_mpa=float(np.sqrt(max(variance, 0.0))),
        time_constant_s=float(np.exp(found.x[2])),
        exponent=float(found.x[3]),
        scatter_mpa=scatter,
    )


def _difference(law: object, parameters: NDArray[np.float64], index: int, ends: NDArray[np.float64]) -> float:
    """Return the derivative of the fall by one parameter."""
    assert callable(law)
    step = np.zeros_like(parameters)
    step[index] = 1e-5 * max(abs(float(parameters[index])), 1.0)
    above, below = law(parameters + step, ends), law(parameters - step, ends)
    return float(((above[0] - above[1]) - (below[0] - below[1])) / (2 * step[index]))
