"""Streaming reconstruction beside algotom, ASTRA and tomopy: python -m benchmarks.reconstruction [--json FILE].

All run in this process with two threads, one after another in every round, so that a busy machine slows all alike;
medians and ratios of at least five rounds. Sinograms are ready-made for the peers; our own times begin with
projections and end with the volume in memory.
"""

import argparse
import json
import os
import statistics
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

os.environ.setdefault("NUMBA_NUM_THREADS", "2")
os.environ.setdefault("OMP_NUM_THREADS", "2")

import numpy as np
from numpy.typing import NDArray

from benchmarks.ellipses import battery_slice, disc, pixel_means, rms_error, strip_integrals
from benchmarks.preview import PreviewCost, preview_cost
from live_analysis.reconstruction.direct_sum import DirectSum
from live_analysis.reconstruction.ramp_filter import UM_PER_CM
from live_analysis.reconstruction.streaming_volume import StreamingVolume

SIZES = ((512, 720, 32), (1024, 1024, 16))
FRAMES_AT_ONCE = 8
# Time per slice of tomopy 1.15.2 gridrec (MKL) zero-padded to twice the width, against that of the peer, as measured
# together on two cores: what stands for tomopy where it cannot be had.
GRIDREC_OF = {
    "algotom fbp": {512: 11.9 / 199, 1024: 54.1 / 1283},
    "ASTRA FBP linear": {512: 11.9 / 402, 1024: 54.1 / 2894},
}

Slices = NDArray[np.float32]


@dataclass(frozen=True)
class Scene:
    """Projections of one size: ``projections`` (frame, row, column), all rows alike in turn of ``truth``."""

    num_columns: int
    angles_rad: NDArray[np.float64]
    projections: NDArray[np.float32]
    truth: tuple[NDArray[np.float64], ...]


def scene(num_columns: int, num_projections: int, num_rows: int) -> Scene:
    """Return a scene of two different slices, repeated over the rows."""
    angles_rad = np.pi * np.arange(num_projections) / num_projections
    slices = [battery_slice(seed) for seed in (1, 2)]
    rows = [strip_integrals(ellipses, angles_rad, num_columns).astype(np.float32) for ellipses in slices]
    projections = np.stack([rows[row % 2] for row in range(num_rows)], axis=1)
    return Scene(num_columns, angles_rad, projections, tuple(pixel_means(ellipses, num_columns) for ellipses in slices))


@dataclass(frozen=True)
class Streamed:
    """Times in s, and the slices."""

    total_s: float
    last_to_ready_s: float
    slices: Slices


def streamed(this: Scene) -> Streamed:
    """Add projections in small portions, as they would come; the volume is ready when the last has been added."""
    num_projections, num_rows, num_columns = this.projections.shape
    volume = StreamingVolume(
        num_rows, num_columns, (num_columns - 1) / 2, UM_PER_CM, angle_step_deg=180.0 / num_projections
    )
    angles_deg = np.degrees(this.angles_rad)
    began = time.perf_counter()
    for first in range(0, num_projections, FRAMES_AT_ONCE):
        last_came = time.perf_counter()
        volume.add(this.projections[first : first + FRAMES_AT_ONCE], angles_deg[first : first + FRAMES_AT_ONCE])
    volume.settle()
    ready = time.perf_counter()
    return Streamed(ready - began, ready - last_came, volume.result().values)


@dataclass(frozen=True)
class Direct:
    """Times in s of a direct reconstruction with ready-made weights, and the slices."""

    filter_s: float
    back_projection_s: float
    slices: Slices


def direct(this: Scene) -> Direct:
    """Add every projection to every voxel, as for angles in no order."""
    num_projections, num_rows, num_columns = this.projections.shape
    total = DirectSum(num_rows, num_columns, (num_columns - 1) / 2, UM_PER_CM, taper_columns=0, num_threads=2)
    buffer, weights = total.new_buffer(), np.full(num_projections, np.pi / num_projections)
    filter_s = back_projection_s = 0.0
    for first in range(0, num_projections, total.num_slots):
        part = slice(first, first + total.num_slots)
        began = time.perf_counter()
        total.filter.filter(this.projections[part], buffer, 0)
        filtered = time.perf_counter()
        total.add(0, buffer, this.angles_rad[part], weights[part])
        filter_s += filtered - began
        back_projection_s += time.perf_counter() - filtered
    return Direct(filter_s, back_projection_s, total.values())


def algotom_back_projection_s(this: Scene) -> float:
    """Return the time of algotom's back projection for all slices, without its filter, from that of two."""
    from algotom.rec.reconstruction import back_projection_cpu

    angles, middle = this.angles_rad.astype(np.float32), np.float32((this.num_columns - 1) / 2)
    sinograms = [np.ascontiguousarray(this.projections[:, row]) for row in (0, 1)]
    began = time.perf_counter()
    for sinogram in sinograms:
        back_projection_cpu(sinogram, angles, middle)
    return float((time.perf_counter() - began) / len(sinograms) * this.projections.shape[1])


def algotom_fbp(this: Scene) -> Slices:
    """Return slices of algotom's filtered back projection."""
    import algotom.rec.reconstruction as algotom

    sinograms = np.moveaxis(this.projections, 1, 0)
    middle = (this.num_columns - 1) / 2
    return np.stack(
        [
            algotom.fbp_reconstruction(
                sinogram,
                middle,
                angles=this.angles_rad,
                ratio=None,
                apply_log=False,
                filter_name=None,
                gpu=False,
                ncore=2,
            )
            for sinogram in sinograms
        ]
    )


def astra_fbp(this: Scene) -> Slices:
    """Return slices of ASTRA's filtered back projection on the CPU with its linear projector."""
    import astra

    num = this.num_columns
    geometry = astra.create_vol_geom(num, num)
    detector = astra.create_proj_geom("parallel", 1.0, num, this.angles_rad)
    projector = astra.create_projector("linear", detector, geometry)
    slices = []
    for sinogram in np.moveaxis(this.projections, 1, 0):
        sinogram_id, slice_id = astra.data2d.create("-sino", detector, sinogram), astra.data2d.create("-vol", geometry)
        settings = astra.astra_dict("FBP")
        settings |= {
            "ProjectorId": projector,
            "ProjectionDataId": sinogram_id,
            "ReconstructionDataId": slice_id,
            "option": {"FilterType": "ram-lak"},
        }
        algorithm = astra.algorithm.create(settings)
        astra.algorithm.run(algorithm)
        slices.append(astra.data2d.get(slice_id))
        astra.algorithm.delete(algorithm)
        astra.data2d.delete([sinogram_id, slice_id])
    astra.projector.delete(projector)
    return np.stack(slices)


def tomopy_gridrec(this: Scene) -> Slices:
    """Return slices of tomopy's gridrec, zero-padded to twice the width, without which its values mean little."""
    import tomopy

    num = this.num_columns
    pad = num // 2
    sinograms = np.pad(np.moveaxis(this.projections, 1, 0), ((0, 0), (0, 0), (pad, pad)))
    found = tomopy.recon(
        sinograms,
        this.angles_rad,
        center=(num - 1) / 2 + pad,
        sinogram_order=True,
        algorithm="gridrec",
        filter_name="ramlak",
        ncore=2,
    )
    return np.asarray(found[:, pad : pad + num, pad : pad + num])


PEERS: dict[str, Callable[[Scene], Slices]] = {
    "tomopy gridrec padded": tomopy_gridrec,
    "algotom fbp": algotom_fbp,
    "ASTRA FBP linear": astra_fbp,
}


def available() -> tuple[dict[str, Callable[[Scene], Slices]], list[str]]:
    """Return the peers that are installed, and the names of those that are not."""
    small, found, missing = scene(64, 96, 2), {}, []
    for name, peer in PEERS.items():
        try:
            peer(small)
        except ImportError:
            missing.append(name)
        else:
            found[name] = peer
    return found, missing


@dataclass(frozen=True)
class Row:
    """One size measured: medians in s over the rounds, ratios of each round, errors."""

    num_columns: int
    num_projections: int
    num_rows: int
    streaming_total_s: float
    last_to_ready_s: float
    peers_s: dict[str, float]
    gridrec_s: float
    gridrec_from: str
    total_to_gridrec: float
    last_to_gridrec: float
    rms_error: float
    peers_rms_error: dict[str, float]
    error_to_best_peer: float
    gain_error: float
    bytes_per_voxel: float
    direct_filter_s: float
    direct_back_projection_s: float
    direct_rms_error: float
    direct_voxel_updates_per_s: float
    direct_rate_to_algotom_fbp: float | None
    direct_rate_to_algotom_without_filters: float | None
    preview: PreviewCost


def measure(size: tuple[int, int, int], peers: dict[str, Callable[[Scene], Slices]], num_rounds: int) -> Row:
    """Run everything in turn, ``num_rounds`` times, and once before that does not count."""
    num_columns, num_projections, num_rows = size
    this = scene(num_columns, num_projections, num_rows)
    totals, lasts, times = [], [], {name: [] for name in peers}  # type: ignore[var-annotated]
    errors: dict[str, float] = {}
    directs, back_projections = [], []
    for number in range(num_rounds + 1):
        ours = streamed(this)
        if number == 0:
            own_error = _error(ours.slices, this)
        else:
            totals.append(ours.total_s)
            lasts.append(ours.last_to_ready_s)
        directly = direct(this)
        if number == 0:
            direct_error = _error(directly.slices, this)
        else:
            directs.append(directly)
        if "algotom fbp" in peers:
            seconds = algotom_back_projection_s(this)
            if number > 0:
                back_projections.append(seconds)
        for name, peer in peers.items():
            began = time.perf_counter()
            found = peer(this)
            if number == 0:
                errors[name] = _error(found, this)
            else:
                times[name].append(time.perf_counter() - began)
        print(f"{num_columns} columns: round {number} of {num_rounds}", flush=True)
    gridrec_from, gridrec = _gridrec(times, num_columns)
    compared = [errors[name] for name in ("algotom fbp", "ASTRA FBP linear") if name in errors]
    return Row(
        num_columns,
        num_projections,
        num_rows,
        statistics.median(totals),
        statistics.median(lasts),
        {name: statistics.median(values) for name, values in times.items()},
        statistics.median(gridrec),
        gridrec_from,
        statistics.median(total / peer for total, peer in zip(totals, gridrec, strict=True)),
        statistics.median(last / peer for last, peer in zip(lasts, gridrec, strict=True)),
        own_error,
        errors,
        own_error / min(compared) if compared else float("nan"),
        gain_error(num_columns, num_projections),
        bytes_per_voxel(size),
        statistics.median(one.filter_s for one in directs),
        statistics.median(one.back_projection_s for one in directs),
        direct_error,
        this.projections.size * num_columns / statistics.median(one.back_projection_s for one in directs),
        _median_ratio(times.get("algotom fbp", []), [one.filter_s + one.back_projection_s for one in directs]),
        _median_ratio(back_projections, [one.back_projection_s for one in directs]),
        preview_cost(num_columns, num_projections, num_rounds),
    )


def _median_ratio(above: list[float], below: list[float]) -> float | None:
    """Return the median over the rounds, none if the peer is missing."""
    return statistics.median(a / b for a, b in zip(above, below, strict=True)) if above else None


def gain_error(num_columns: int, num_projections: int) -> float:
    """Return by how much the mean of a uniform disc that fills 0.85 of the view is wrong, as a part of it."""
    angles_rad = np.pi * np.arange(num_projections) / num_projections
    ellipses = disc(0.85)
    row = strip_integrals(ellipses, angles_rad, num_columns).astype(np.float32)
    this = Scene(num_columns, angles_rad, row[:, None, :], (pixel_means(ellipses, num_columns),))
    found, truth = streamed(this).slices[0], this.truth[0]
    y, x = np.mgrid[:num_columns, :num_columns] - (num_columns - 1) / 2
    inside = np.hypot(x, y) < 0.8 * num_columns / 2
    return float(found[inside].mean() / truth[inside].mean() - 1)


def bytes_per_voxel(size: tuple[int, int, int]) -> float:
    """Return what a streaming volume occupies, all buffers included."""
    num_columns, num_projections, num_rows = size
    volume = StreamingVolume(
        num_rows, num_columns, (num_columns - 1) / 2, UM_PER_CM, angle_step_deg=180.0 / num_projections
    )
    few = 64
    volume.add(np.zeros((few, num_rows, num_columns), np.float32), np.arange(few) * 180.0 / num_projections)
    return volume.num_bytes / (num_columns**2 * num_rows)


def _error(slices: Slices, this: Scene) -> float:
    """Return the error of the first slices; peers differ in which way y points and where the middle lies."""
    errors = []
    for found, truth in zip(slices, this.truth, strict=False):
        views = [np.roll(view, (dy, dx), (0, 1)) for view in (found, found[::-1]) for dy in (0, 1) for dx in (0, 1)]
        errors.append(min(rms_error(np.nan_to_num(view), truth) for view in views))
    return float(np.mean(errors))


def _gridrec(times: dict[str, list[float]], num_columns: int) -> tuple[str, list[float]]:
    if "tomopy gridrec padded" in times:
        return "measured", times["tomopy gridrec padded"]
    for name, ratios in GRIDREC_OF.items():
        if name in times and num_columns in ratios:
            return f"from {name} by the published relation", [ratios[num_columns] * value for value in times[name]]
    if "algotom fbp" in times:
        return "from algotom fbp, relation at 512 columns", [
            GRIDREC_OF["algotom fbp"][512] * v for v in times["algotom fbp"]
        ]
    raise SystemExit("Neither tomopy nor algotom nor ASTRA is installed: install one (pip install algotom) to compare.")


def report(row: Row) -> str:
    """Return a table of one size for people."""
    lines = [
        f"{row.num_columns} columns, {row.num_projections} projections, {row.num_rows} slices",
        f"  streaming volume            {1e3 * row.streaming_total_s:9.1f} ms, "
        f"{row.total_to_gridrec:.3f} of padded gridrec ({row.gridrec_from})   bar 0.7, aim 0.4",
        f"  last projection to volume   {1e3 * row.last_to_ready_s:9.1f} ms, {row.last_to_gridrec:.3f} of it"
        "   bar 0.03, aim 0.015",
        f"  rms error                   {row.rms_error:.5f}, {row.error_to_best_peer:.3f} of the best of the peers"
        "   bar 1.0, aim 0.85",
        f"  gain error of a disc        {100 * row.gain_error:+.3f} %   bar 0.5 %, aim 0.1 %",
        f"  memory                      {row.bytes_per_voxel:.2f} bytes per voxel   bar 5, aim 4.2",
    ]
    lines += _direct_lines(row) if row.direct_rate_to_algotom_fbp is not None else []
    lines += row.preview.lines()
    lines += [
        f"  {name:26s}  {1e3 * seconds:9.1f} ms, rms error {row.peers_rms_error[name]:.5f}"
        for name, seconds in row.peers_s.items()
    ]
    return "\n".join(lines)


def _direct_lines(row: Row) -> list[str]:
    seconds = row.direct_filter_s + row.direct_back_projection_s
    return [
        f"  direct back projection      {1e3 * seconds:9.1f} ms, rate {row.direct_rate_to_algotom_fbp:.1f} times that "
        "of algotom fbp   bar 10, aim 20",
        f"    both without filter       {1e3 * row.direct_back_projection_s:9.1f} ms, "
        f"{row.direct_rate_to_algotom_without_filters:.1f} times, {1e-9 * row.direct_voxel_updates_per_s:.1f} thousand "
        "million voxel updates per s",
        f"    rms error                 {row.direct_rms_error:.5f}",
    ]


def main() -> None:
    """Measure, print and write what was asked for."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", type=Path, help="write all figures there")
    parser.add_argument("--rounds", type=int, default=5, help="rounds that count (default 5)")
    parser.add_argument("--quick", action="store_true", help="one small size, to see that all of it runs")
    asked = parser.parse_args()
    peers, missing = available()
    if missing:
        print(f"Not installed, so not compared: {', '.join(missing)}.")
    sizes = ((128, 180, 16),) if asked.quick else SIZES
    rows = []
    for size in sizes:
        rows.append(measure(size, peers, asked.rounds))
        print(report(rows[-1]), flush=True)
    if asked.json is not None:
        asked.json.write_text(json.dumps({"missing": missing, "sizes": [asdict(row) for row in rows]}, indent=1))


if __name__ == "__main__":
    main()
