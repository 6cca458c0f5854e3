"""Compiles the kernels of the simulated beamline, so that no rehearsal waits for it: ``python -m simulators.warm_up``.

Numba keeps what it compiled beside the source.
"""

import numpy as np

from operando.model.geometry import ImagingGeometry
from simulators.cell_parameters import Beam, Value
from simulators.detector import Detector
from simulators.packing import place_spheres
from simulators.projector import Projector
from simulators.scene import Cylinders, Scene, Spheroids, upright

GEOMETRY = ImagingGeometry(num_columns=8, num_rows=4, pixel_size_um=10.0)


def warm_up() -> None:
    """Place two spheres and take a frame of one ball in a cylinder."""
    one, centre_um = np.ones(1), np.zeros((1, 3))
    places = np.random.default_rng(0).random((10, 3))
    place_spheres(places, np.ones(2), np.zeros(2), 20.0, 0.0, 20.0, centre_um, one, centre_um, one, 1.0)
    ball = Spheroids(centre_um, 5 * one, 5 * one, upright(1), one)
    scene = Scene(Cylinders(np.zeros((1, 2)), 20 * one, 0 * one, 20 * one, one), ball, ball, ball, ball)
    shadow = Projector(GEOMETRY, axis_column=4.0).line_integrals(scene, 30.0)
    Detector(GEOMETRY, _beam(), 1e4, 0).counts(shadow, shutter_open=True, frame_number=0)


def _beam() -> Beam:
    units = {
        "energy": "keV",
        "flat_structure": "1",
        "blur_fwhm": "um",
        "counts_per_photon": "1",
        "dark_offset": "1",
        "read_noise": "1",
        "axis_offset": "um",
    }
    return Beam(**{name: Value(value=35.0, unit=unit, source="invented") for name, unit in units.items()})


if __name__ == "__main__":
    warm_up()
