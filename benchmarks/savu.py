"""A recorded scan beside algotom and ASTRA: python -m benchmarks.savu SCAN [--picture FILE].

SCAN is the tomogram of Savu's test data (Diamond Light Source): `tiffs/` with 91 projections, one dark, one flat, and
`angles.txt`. All reconstruct the same attenuation integrals about the same axis; stripes are removed by our filter, by
algotom's `remove_all_stripe`, or not at all.
"""

import argparse
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import tifffile
from numpy.typing import NDArray
from PIL import Image

from live_analysis.corrections.ring_measure import ring_measure
from live_analysis.corrections.stripes import remove_stripes
from live_analysis.normalisation import attenuation_integral, repair_pixels, transmission
from live_analysis.reconstruction.filtered_scan import filter_scan
from live_analysis.reconstruction.lattice import Lattice
from live_analysis.reconstruction.ramp_filter import UM_PER_CM

AXIS_COLUMN = 85.5  # by Vo 2014; 85.75 by opposite pair. ASTRA asks for whole or half columns
ROWS = (67, 75, 85, 95, 105)
SAMPLE_RADIUS = 60  # columns; the sample reaches about that far from the axis
RING_RADII = 3, 72
PADDED_COLUMNS = 80  # the air reads 0.4: to end in nothing would bend ASTRA's slices
ENDS_OF_ANGLES = 10  # the first and last ten angles belong to flats and darks

Slices = NDArray[np.float32]


@dataclass(frozen=True)
class RecordedScan:
    """Attenuation integrals, shape (projection, row, column), without NaN, and angles."""

    integrals: NDArray[np.float32]
    angles_deg: NDArray[np.float64]


def read_scan(folder: Path) -> RecordedScan:
    """Read and normalise the scan; its one dead pixel is repaired."""
    counts = np.stack([tifffile.imread(path) for path in sorted((folder / "tiffs").glob("*.tiff"))])
    flat, dark = (tifffile.imread(folder / f"{kind}_00001.tiff") for kind in ("flat", "dark"))
    integrals = repair_pixels(attenuation_integral(transmission(counts, flat, dark)).values).values
    return RecordedScan(integrals, np.loadtxt(folder / "angles.txt")[ENDS_OF_ANGLES:-ENDS_OF_ANGLES])


def ours(scan: RecordedScan) -> Slices:
    """Return slices with stripes removed from a copy of the integrals."""
    corrected = scan.integrals.copy()
    remove_stripes(corrected, scan.angles_deg, AXIS_COLUMN)
    return ours_with_stripes(RecordedScan(corrected, scan.angles_deg))


def ours_with_stripes(scan: RecordedScan) -> Slices:
    """Return slices of the integrals as they are."""
    rows = np.ascontiguousarray(scan.integrals[:, ROWS])
    filtered = filter_scan(rows, scan.angles_deg, AXIS_COLUMN, UM_PER_CM)
    return filtered.reconstruct(Lattice.square(rows.shape[2]))


def algotom(scan: RecordedScan) -> Slices:
    """Return slices of algotom's filtered back projection; it continues projections beyond their edges itself."""
    return np.stack([_algotom_slice(scan.integrals[:, row], scan.angles_deg) for row in ROWS])


def algotom_without_stripes(scan: RecordedScan) -> Slices:
    """Return algotom's slices after its `remove_all_stripe` with one set of parameters, not tuned to this scan."""
    from algotom.prep.removal import remove_all_stripe

    return np.stack(
        [
            _algotom_slice(
                remove_all_stripe(scan.integrals[:, row].copy(), snr=3.0, la_size=51, sm_size=21), scan.angles_deg
            )
            for row in ROWS
        ]
    )


def astra(scan: RecordedScan) -> Slices:
    """Return slices of ASTRA's filtered back projection on the CPU, of projections continued at their edges."""
    import astra

    num_columns = scan.integrals.shape[2]
    # As many columns on both sides of the axis: ASTRA has it in the middle.
    padded = PADDED_COLUMNS, PADDED_COLUMNS + round(2 * AXIS_COLUMN) + 1 - num_columns
    width = num_columns + sum(padded)
    detector = astra.create_proj_geom("parallel", 1.0, width, np.radians(scan.angles_deg))
    volume = astra.create_vol_geom(num_columns, num_columns)
    projector = astra.create_projector("linear", detector, volume)
    slices = []
    for row in ROWS:
        sinogram = np.pad(scan.integrals[:, row], ((0, 0), padded), mode="edge")
        data = astra.data2d.create("-sino", detector, sinogram), astra.data2d.create("-vol", volume)
        settings = astra.astra_dict("FBP") | {
            "ProjectorId": projector,
            "ProjectionDataId": data[0],
            "ReconstructionDataId": data[1],
            "option": {"FilterType": "ram-lak"},
        }
        algorithm = astra.algorithm.create(settings)
        astra.algorithm.run(algorithm)
        slices.append(astra.data2d.get(data[1])[::-1])  # its y axis points the other way
        astra.algorithm.delete(algorithm)
        astra.data2d.delete(list(data))
    astra.projector.delete(projector)
    return np.stack(slices)


RECONSTRUCTIONS: dict[str, Callable[[RecordedScan], Slices]] = {
    "ours": ours,
    "ours, stripes kept": ours_with_stripes,
    "ASTRA FBP": astra,
    "algotom fbp": algotom,
    "algotom fbp, remove_all_stripe": algotom_without_stripes,
}


def rings(slices: Slices) -> NDArray[np.float64]:
    """Return the ring measure of each slice."""
    middle = ((slices.shape[1] - 1) / 2,) * 2
    first, last = RING_RADII
    return np.array([ring_measure(one, middle, first_radius=first, last_radius=last) for one in slices])


def correlations(some: Slices, others: Slices) -> NDArray[np.float64]:
    """Return the correlation of each slice with its counterpart inside the sample."""
    y, x = np.indices(some.shape[1:]) - (some.shape[1] - 1) / 2
    inside = np.hypot(x, y) < SAMPLE_RADIUS
    return np.array([np.corrcoef(a[inside], b[inside])[0, 1] for a, b in zip(some, others, strict=True)])


def picture(found: dict[str, Slices]) -> Image.Image:
    """Return all slices, one row of the detector below the other, with the window of the first column."""
    tiles = []
    for slices in found.values():
        windows = [np.nanpercentile(first, (2, 90)) for first in next(iter(found.values()))]
        shown = [np.clip((one - low) / (high - low), 0, 1) for one, (low, high) in zip(slices, windows, strict=True)]
        tiles.append(np.concatenate(shown))
    grey = (255 * np.nan_to_num(np.concatenate(tiles, axis=1))).astype(np.uint8)
    return Image.fromarray(np.kron(grey, np.ones((2, 2), np.uint8)))


def _algotom_slice(sinogram: NDArray[np.float32], angles_deg: NDArray[np.float64]) -> NDArray[np.float32]:
    from algotom.rec.reconstruction import fbp_reconstruction

    found = fbp_reconstruction(
        sinogram, AXIS_COLUMN, angles=np.radians(angles_deg), apply_log=False, gpu=False, ratio=None,
        filter_name=None, ncore=1,
    )  # fmt: skip
    return np.asarray(found, np.float32)[::-1]  # so does its y axis


def main() -> None:
    """Compare and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("scan", type=Path, help="folder of the scan")
    parser.add_argument("--picture", type=Path, help="PNG of all slices side by side")
    arguments = parser.parse_args()
    scan = read_scan(arguments.scan)
    found = {name: reconstruct(scan) for name, reconstruct in RECONSTRUCTIONS.items()}
    print(f"rows {ROWS}: rings in 1/cm of a pixel of 1 cm, and correlation with ours inside the sample")
    for name, slices in found.items():
        strengths, alike = rings(slices), correlations(slices, found["ours"])
        print(
            f"  {name:32s} rings " + " ".join(f"{value:.5f}" for value in strengths),
            f" mean {strengths.mean():.5f}   correlation " + " ".join(f"{value:.4f}" for value in alike),
        )
    if arguments.picture:
        picture(found).save(arguments.picture)


if __name__ == "__main__":
    main()
