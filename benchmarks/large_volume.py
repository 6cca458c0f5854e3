"""A large volume from a scan on disk: python -m benchmarks.large_volume [--folder DIR] [--json FILE] [--kill].

Writes a scan of ellipsoids with the noise of photons, reconstructs it with ``operando reconstruct`` in a process of its
own, whose memory is watched, kills that in the middle if asked to and lets the same command go on, and compares voxels
with the truth. Everything that it has written is removed at the end.
"""

import argparse
import json
import shutil
import subprocess
import sys
import tempfile
import time
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import psutil
import zarr
from numpy.typing import NDArray

from benchmarks.ellipsoids import ScanOnDisk, true_row, write_scan

LOOK_S = 0.2
WITHIN = 0.9  # of the circle that every projection sees
FAR_FROM_EDGES = 6  # voxels


@dataclass(frozen=True)
class Made:
    """One call of the command: its exit code (-9 if it was killed), time, and the most memory it held."""

    exit_code: int
    time_s: float
    peak_bytes: int


@dataclass(frozen=True)
class Agreement:
    """Found against true attenuation.

    ``gain_error`` is that of the mean over everything, ``plateau_errors`` of the means far from edges by true value,
    ``rms_error_per_cm`` with noise; ``mean_rms_error_per_cm`` of means of 8 x 8 voxels, where noise counts less.
    """

    gain_error: float
    plateau_errors: dict[str, float]
    rms_error_per_cm: float
    mean_rms_error_per_cm: float


def reconstruct(file: Path, out: Path, options: list[str], *, kill_after_slabs: int | None = None) -> Made:
    """Run the command; print what it prints."""
    began = time.perf_counter()
    command = [sys.executable, "-m", "operando.cli", "reconstruct", str(file), "--out", str(out), *options]
    process = subprocess.Popen(command)
    watched = psutil.Process(process.pid)
    peak = 0
    while process.poll() is None:
        try:
            peak = max(peak, watched.memory_info().rss)
        except psutil.Error:
            break
        if kill_after_slabs is not None and _num_lines(out / "slabs.jsonl") >= kill_after_slabs:
            time.sleep(LOOK_S)  # into the next slab
            process.kill()
        time.sleep(LOOK_S)
    return Made(process.wait(), time.perf_counter() - began, peak)


def compare(out: Path, scan: ScanOnDisk, rows: list[int]) -> Agreement:
    """Compare some rows of a volume with the truth."""
    volume = zarr.open_array(out / "0", mode="r")
    num = volume.shape[1]
    y, x = np.mgrid[:num, :num] - (num - 1) / 2
    inside = np.hypot(x, y) < WITHIN * num / 2
    found_sum = true_sum = 0.0
    squares, mean_squares, plateaus = [], [], dict[float, list[float]]()
    for row in rows:
        truth = true_row(scan, row, num)
        found = np.asarray(volume[row])
        found_sum, true_sum = found_sum + float(found[inside].sum()), true_sum + float(truth[inside].sum())
        squares.append(float(((found - truth)[inside] ** 2).mean()))
        difference = np.where(inside, found - truth, 0)
        mean_squares.append(float((_means(difference)[_means(inside.astype(np.float32)) == 1] ** 2).mean()))
        for value, voxels in _plateaus(truth, inside).items():
            plateaus.setdefault(value, []).append(float(found[voxels].mean()))
    errors = {f"{value:g}": float(np.mean(means)) - value for value, means in sorted(plateaus.items())}
    return Agreement(
        found_sum / true_sum - 1, errors, float(np.sqrt(np.mean(squares))), float(np.sqrt(np.mean(mean_squares)))
    )


def _means(values: NDArray[np.float32]) -> NDArray[np.float32]:
    num = len(values) // 8
    return np.asarray(values[: num * 8, : num * 8].reshape(num, 8, num, 8).mean(axis=(1, 3)), np.float32)


def _plateaus(truth: NDArray[np.float32], inside: NDArray[np.bool_]) -> dict[float, NDArray[np.bool_]]:
    """Return, for each value, its voxels far from edges."""
    from scipy.ndimage import maximum_filter, minimum_filter

    size = 2 * FAR_FROM_EDGES + 1
    flat = inside & (minimum_filter(truth, size) == maximum_filter(truth, size))
    return {float(value): flat & (truth == value) for value in np.unique(truth[flat])}


def _num_lines(path: Path) -> int:
    return path.read_text(encoding="utf-8").count("\n") if path.exists() else 0


def main() -> None:
    """Write, reconstruct, compare, print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--folder", type=Path, help="where scan and volume go (default: a temporary folder)")
    parser.add_argument("--json", type=Path, help="write all figures there")
    parser.add_argument("--columns", type=int, default=2048)
    parser.add_argument("--rows", type=int, default=256)
    parser.add_argument("--projections", type=int, default=1500)
    parser.add_argument("--memory", default="8GB")
    parser.add_argument("--kill", action="store_true", help="kill -9 in the middle, then go on")
    parser.add_argument("--keep", action="store_true", help="leave scan and volume where they are")
    asked = parser.parse_args()
    scan = ScanOnDisk(asked.projections, asked.rows, asked.columns, 1.5, asked.columns / 2 + 3.3)
    with tempfile.TemporaryDirectory() as temporary:
        folder = asked.folder or Path(temporary)
        folder.mkdir(parents=True, exist_ok=True)
        file, out = folder / "scan.h5", folder / "volume.zarr"
        if not file.exists():
            began = time.perf_counter()
            write_scan(file, scan, seed=1)
            print(f"{file}: {file.stat().st_size / 1e9:.2f} GB written in {time.perf_counter() - began:.0f} s")
        options = ["--memory", asked.memory]
        calls = []
        if asked.kill:
            calls.append(reconstruct(file, out, options, kill_after_slabs=2))
        calls.append(reconstruct(file, out, options))
        agreement = compare(out, scan, np.linspace(4, asked.rows - 5, 5).astype(int).tolist())
        for call in calls:
            print(f"exit code {call.exit_code}, {call.time_s:.0f} s, peak {call.peak_bytes / 1e9:.2f} GB")
        print(agreement)
        if asked.json is not None:
            asked.json.write_text(
                json.dumps({"calls": [asdict(c) for c in calls], "agreement": asdict(agreement)}, indent=1)
            )
        if not asked.keep:
            file.unlink()
            shutil.rmtree(out)


if __name__ == "__main__":
    main()
