"""The picture of three slices that a tomogram leaves for people."""

import numpy as np

from live_analysis.slices_picture import OrthogonalSlices, slices_picture
from live_analysis.tomogram_context import TomogramContext
from operando.model.grey_window import grey_window


def draw_picture(context: TomogramContext, slices: OrthogonalSlices, *, absolute: bool, coverage: float) -> None:
    """Draw three slices, with their scale, into the run's report.

    Parameters
    ----------
    absolute
        Whether grey values are attenuation.
    coverage
        Part of the half turn that the slices rest on.
    """
    shown = np.concatenate([plane.ravel() for plane in (slices.xy, slices.xz, slices.yz)])
    mark = "REHEARSAL (simulated cell)" if context.rehearsal else ""
    picture = slices_picture(
        slices,
        tomogram=context.tomogram.name,
        voltage_v=context.first_voltage_v(),
        window=grey_window(shown),
        mark="REPLAY (recorded scan)" if context.replayed else mark,
        grey_values_absolute=absolute,
        coverage=coverage,
    )
    path = context.run.preview_picture(context.tomogram.attempt, context.tomogram.name)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(picture)
