"""Loads, the first time compiles, all kernels of a tomogram's analysis, so that no projection of a run waits for it.

``python -m live_analysis.warm_up`` does it once and for all; numba keeps what it compiled beside the source.
"""

import tempfile
from pathlib import Path

import h5py
import numpy as np
from numpy.typing import NDArray

from live_analysis.cracks.matrix_blocks import matrix_blocks
from live_analysis.displacement.cuboid_grid import cuboid_grid
from live_analysis.displacement.displacement_field import measure_displacement
from live_analysis.displacement.prepared_state import prepare_state
from live_analysis.frame_reader import FrameReader
from live_analysis.high_attenuation_volume import high_attenuation_volume
from live_analysis.live.live_tomogram import LiveScan, LiveTomogram
from live_analysis.live.live_volume import Assumptions
from live_analysis.live.preview_publisher import PreviewPublisher
from live_analysis.states.particle_tracking import track_particles
from live_analysis.states.placed_volume import PlacedVolume
from live_analysis.states.pristine_particles import find_pristine_particles
from live_analysis.tomogram_frames import TomogramFrames
from live_analysis.tomogram_volume import Reference, reconstruct_tomogram
from operando.model.clock import SystemClock
from operando.model.frames import ANGLES, FRAME_IDS, IMAGES, TIMES, FrameKind
from operando.model.geometry import CellGeometry, Region
from operando.model.plane_wish import PlaneWish, write_plane_wish
from operando.model.run_directory import RunDirectory

NUM_PROJECTIONS, NUM_ROWS, NUM_COLUMNS, PIXEL_UM = 90, 24, 64, 20.0
CELL = CellGeometry(bore_diameter_mm=2.0, wall_outer_diameter_mm=4.0, wall_material="PEEK")
CONTENT_PER_CM, WALL_PER_CM, PHASE_PER_CM = 2.0, 0.3, 60.0
DARK_COUNTS, FLAT_COUNTS = 100, 20_000


def warm_up() -> None:
    """Analyse a small invented tomogram: a filled bore, a wall and a wire."""
    angles_deg = np.linspace(0, 180, NUM_PROJECTIONS, endpoint=False)
    photons = FLAT_COUNTS * np.exp(-_integrals(angles_deg))[:, None, :]
    noise = np.random.default_rng(0)
    projections = noise.poisson(photons, (NUM_PROJECTIONS, NUM_ROWS, NUM_COLUMNS)) + DARK_COUNTS
    flats = noise.poisson(FLAT_COUNTS, (4, NUM_ROWS, NUM_COLUMNS)) + DARK_COUNTS
    darks = noise.poisson(DARK_COUNTS, (4, NUM_ROWS, NUM_COLUMNS))
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        _write(folder / FrameKind.DARK, darks, np.zeros(len(darks)))
        _write(folder / FrameKind.FLAT, flats, np.zeros(len(flats)))
        _write(folder / FrameKind.PROJECTION, projections, angles_deg)
        frames = TomogramFrames({kind: FrameReader(folder / kind) for kind in FrameKind})
        frames.poll()
        run = RunDirectory(folder)
        write_plane_wish(run.plane_wish, PlaneWish(z=0.4, y=0.4, x=0.4))
        publisher = PreviewPublisher(
            run,
            1,
            tomogram="warm_up",
            run_uid="",
            num_announced=2 * NUM_PROJECTIONS,
            voxel_size_known=True,
            host_clock=SystemClock(),
            report=lambda _: None,
        )
        scan = LiveScan(2 * NUM_PROJECTIONS, 360.0, PIXEL_UM, CELL, WALL_PER_CM, "warm_up")  # half of it: slices grow
        live = LiveTomogram(scan, folder, Assumptions(), publisher)
        live.poll(frames)
        live.finish()
        reconstruct_tomogram(
            frames,
            PIXEL_UM,
            cell=CELL,
            wall_per_cm=WALL_PER_CM,
            region=Region(200.0, 200.0, 100.0, 300.0),
            reference=Reference(100.0, 300.0, 100.0),
        )
        frames.close()
    cube = np.zeros((12, 12, 12), np.float32)
    cube[4:8, 4:8, 4:8] = PHASE_PER_CM
    high_attenuation_volume(cube, PIXEL_UM, PHASE_PER_CM, resolution_fwhm_um=PIXEL_UM)
    _compare_states()


def _compare_states() -> None:
    """Compare a box of noise, and one with a particle, with themselves."""
    shape, voxel_um = (24, 24, 24), 4.0
    edge_um = shape[0] * voxel_um
    values = np.random.default_rng(0).normal(CONTENT_PER_CM, 1.0, shape).astype(np.float32)
    grid = cuboid_grid(shape, voxel_um, top_um=edge_um, heights_um=(28.0, 68.0), width_um=40.0, cuboid_um=40.0)
    state = prepare_state(values, voxel_um)
    matrix_blocks(values, voxel_um, np.ones_like(values))
    measure_displacement(state, state, grid, top_um=edge_um)
    away = np.linalg.norm(np.indices(shape) - np.array(shape)[:, None, None, None] / 2, axis=0)
    whole = slice(0, shape[0]), slice(0, shape[1]), slice(0, shape[2])
    placed = PlacedVolume(np.where(away < 6, np.float32(25), values / 10), voxel_um, 0, shape[0], whole)
    particles = find_pristine_particles(placed, 25.0)
    track_particles(placed, particles, placed, particles.matrix.per_cm)


def _integrals(angles_deg: NDArray[np.float64]) -> NDArray[np.float64]:
    """Attenuation integrals of bore, wall and wire, shape (projection, column)."""
    u_um = (np.arange(NUM_COLUMNS) - (NUM_COLUMNS - 1) / 2) * PIXEL_UM
    theta = np.radians(angles_deg)[:, None]

    def chord_cm(radius_um: float, x_um: float = 0.0) -> NDArray[np.float64]:
        half_um = np.sqrt(np.maximum(radius_um**2 - (u_um - x_um * np.cos(theta)) ** 2, 0.0))
        return np.asarray(2e-4 * half_um)

    bore, outer = (
        chord_cm(500.0 * diameter_mm) for diameter_mm in (CELL.bore_diameter_mm, CELL.wall_outer_diameter_mm)
    )
    return CONTENT_PER_CM * bore + WALL_PER_CM * (outer - bore) + 20.0 * chord_cm(60.0, x_um=250.0)


def _write(path: Path, images: NDArray[np.int64], angles_deg: NDArray[np.float64]) -> None:
    with h5py.File(path, "w", libver="latest") as file:
        file[IMAGES] = images.astype(np.uint16)
        file[TIMES], file[FRAME_IDS], file[ANGLES] = np.zeros(len(images)), np.arange(len(images)), angles_deg


if __name__ == "__main__":
    warm_up()
