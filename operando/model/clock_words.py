"""What is known of an instrument's clock, told to a person."""

from operando.model.clock_fit import ClockFit

JUDGED_NUM_POINTS = 20
LARGEST_UNTOLD_S = 0.1  # that a server's clock may be off without a word
LARGE_DRIFT_PPM = 200.0  # a healthy quartz is good for 100


def clock_sentence(name: str, fit: ClockFit) -> str:
    """Return drift and uncertainty of a clock in one sentence, and a second one if the drift is large."""
    drift_ppm, uncertainty_ppm = 1e6 * fit.drift, 1e6 * fit.drift_uncertainty
    way = "fast" if drift_ppm >= 0 else "slow"
    told = (
        f"{name} runs {abs(drift_ppm):.1f} ppm {way} (uncertainty {uncertainty_ppm:.2g} ppm); its times are known to "
        f"{1e3 * fit.offset_uncertainty_s:.1f} ms on the run's clock."
    )
    if abs(drift_ppm) - 3 * uncertainty_ppm > LARGE_DRIFT_PPM:
        told += f" More than {LARGE_DRIFT_PPM:g} ppm is no healthy quartz: have the instrument looked at."
    return told


def server_sentence(behind_s: float) -> str:
    """Return a sentence if the time stamps of a server are off by more than the way of a value explains, else nothing.

    Parameters
    ----------
    behind_s
        Least difference, over many values, of arrival and time stamp; NaN if they were not compared.
    """
    if not abs(behind_s) > LARGEST_UNTOLD_S:
        return ""
    side = "behind" if behind_s > 0 else "ahead of"
    return (
        f"The clock of the potentiostat's server is {abs(behind_s):.2f} s {side} this computer's. Nothing here is "
        "aligned by it, but have it set: files that the server writes carry its times."
    )
