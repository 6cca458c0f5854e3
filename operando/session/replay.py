"""Replaying a recorded scan: the camera serves its frames, plan and analysis take it as a tomogram of their own."""

import tempfile
from pathlib import Path

from rich.console import Console

from live_analysis.reconstruction.angle_weights import ProjectionError, angle_weights
from live_analysis.rotation_axis import MIN_COVERAGE
from operando.model.units import parse_quantity
from operando.session.angle_unit import chosen_angle_unit
from operando.session.errors import RequestError
from operando.session.layout import refuse_used_directory
from operando.session.run import RunRequest, run_experiment
from simulators.recorded_counts import count_scale
from simulators.recorded_data import RecordedScan, RecordedScanError
from simulators.recorded_scan import load_recorded_scan
from simulators.replay_experiment import replay_experiment


def replay_scan(
    path: Path, pixel_size: str | None, angle_unit: str | None, directory: Path | None, console: Console
) -> int:
    """Replay a recorded scan; return the exit code.

    Raises
    ------
    RequestError
        If the scan is missing or damaged, or a quantity is not one.
    """
    try:
        pixel_size_um = None if pixel_size is None else parse_quantity(pixel_size, "um")
    except ValueError as error:
        raise RequestError(f"--pixel-size: {error}.") from error
    unit = chosen_angle_unit(angle_unit)
    try:
        scan = load_recorded_scan(path, angle_unit=unit)
        _refuse_few_angles(scan)
        text = replay_experiment(scan, pixel_size_um)
        if directory is not None:
            refuse_used_directory(directory)
        with console.status("reading every recorded frame once ..."):
            count_scale(scan)  # a damaged frame is found now, not in the middle of the replay
    except RecordedScanError as error:
        raise RequestError(str(error)) from error
    for line in text.splitlines():
        if not line.startswith("# "):
            break
        console.print(line.removeprefix("# "), markup=False, highlight=False)
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "experiment.toml"
        file.write_text(text, encoding="utf-8")
        request = RunRequest(
            file, None, "recorded", directory, seed=None, recorded=path.resolve(), angle_unit=angle_unit
        )
        return run_experiment(request, console)


def _refuse_few_angles(scan: RecordedScan) -> None:
    try:
        coverage = angle_weights(scan.angles_deg).coverage
    except ProjectionError as error:
        raise RecordedScanError(f"{scan.source}: {error}") from error
    if coverage < MIN_COVERAGE:
        raise RecordedScanError(
            f"{scan.source}: {len(scan.angles_deg)} projections from {scan.angles_deg.min():.4g} to "
            f"{scan.angles_deg.max():.4g} deg cover {coverage:.0%} of the half turn; {MIN_COVERAGE:.0%} are needed to "
            "find the axis. Are the angles right, and in degrees (--angle-unit)?"
        )
