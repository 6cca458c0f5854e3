from math import inf

import numpy as np
import pyqtgraph
import pytest

from operando.monitor.history.event_marks import EventMark, MarkKind
from operando.monitor.history.event_strip import EventStrip
from operando.monitor.history.plot_axis import TimeAxis
from operando.monitor.theme import Look


@pytest.mark.usefixtures("open_monitor")
def test_signs_of_ten_thousand_events_reach_from_the_first_to_the_last() -> None:
    plot = pyqtgraph.PlotWidget()
    plot.resize(800, 100)
    strip = EventStrip(plot.getPlotItem(), Look())
    plot.setXRange(0.0, 10_000.0, padding=0)
    marks = tuple(EventMark(float(second), MarkKind.LIMIT, "warm") for second in range(10_000))
    broken = EventMark(inf, MarkKind.LIMIT, "stamped by a broken clock")
    strip.show((), (*marks, broken), 10_000.0, TimeAxis(0.0))
    places, _ = strip._signs[MarkKind.LIMIT].getData()
    width_px = plot.getPlotItem().getViewBox().width()
    assert len(places) <= width_px + 2
    assert np.max(np.diff(places, prepend=0.0, append=10_000.0)) < 3 * 10_000 / width_px
