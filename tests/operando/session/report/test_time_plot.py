import re

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from operando.session.report.cell_traces import CellTraces, Gap, Samples
from operando.session.report.plot_axes import Scale, tick_texts
from operando.session.report.time_lanes import Span, in_lanes
from operando.session.report.time_plot import time_plot

START_S = 1_700_000_000.0
WEEK_S = 7 * 86400


def samples(time_s: np.ndarray[tuple[int], np.dtype[np.float64]], **values: float) -> Samples:
    columns = {name: np.full(time_s.size, value) for name, value in values.items()}
    good = np.ones(time_s.size, np.bool_)
    return Samples(time_s, time_s, np.ones(time_s.size), good, columns, {"OK": time_s.size})


def test_a_week_of_samples_is_a_small_plot_that_keeps_its_shortest_peak() -> None:
    time_s = START_S + np.arange(WEEK_S, dtype=np.float64)
    potentiostat = samples(time_s, voltage_v=2.0, current_a=0.0)
    potentiostat.values["voltage_v"][:] += np.random.default_rng(0).normal(0.0, 0.01, WEEK_S)
    potentiostat.values["voltage_v"][300_001] = 9.0
    traces = CellTraces({"potentiostat": potentiostat})
    drawn = time_plot(
        traces, START_S, START_S + WEEK_S, width=1180, origin_s=START_S, steps=[], tomograms=[], marks=[], told=""
    )
    assert len(drawn) < 150_000  # characters; 600,000 samples would be 9,000,000
    heights_px = [float(point.split(",")[1]) for point in re.findall(r'points="([^"]*)"', drawn)[0].split()]
    assert min(heights_px) < np.median(heights_px) - 80  # of a panel 120 pixels high


def test_a_time_without_samples_is_a_gap_and_no_line_crosses_it() -> None:
    time_s = START_S + np.concatenate([np.arange(100.0), np.arange(400.0, 500.0)])
    found = samples(time_s, voltage_v=2.0, current_a=0.0)
    assert found.gaps == [Gap(START_S + 99.0, START_S + 400.0)]
    traces = CellTraces({"potentiostat": found})
    drawn = time_plot(
        traces, START_S, time_s[-1], width=400, origin_s=START_S, steps=[], tomograms=[], marks=[], told=""
    )
    assert drawn.count("<polyline") == 2 * 2  # parts, panels


def test_slower_sampling_that_was_declared_is_no_gap() -> None:
    time_s = START_S + 30.0 * np.arange(100.0)
    declared = Samples(time_s, time_s, np.full(100, 30.0), np.ones(100, np.bool_), {}, {"OK": 100})
    assert declared.gaps == []


def test_names_of_tomograms_that_follow_each_other_closely_lie_in_different_lanes() -> None:
    hour = Scale(0.0, 3600.0, 70.0, 1166.0)
    placed = in_lanes([Span("D1.7V", 0.0, 1.0), Span("D1.2V", 2.0, 3.0), Span("D0.7V", 3000.0, 3001.0)], hour)
    assert [lane for _, lane in placed] == [0, 1, 0]


@pytest.mark.parametrize("num", [1, 3, 8])
@given(low=st.floats(-1e9, 1e9), span=st.floats(1e-6, 1e9))
def test_ticks_lie_on_the_scale_and_their_texts_differ(num: int, low: float, span: float) -> None:
    scale = Scale(low, low + max(span, 1e-6 * abs(low)), 0.0, 100.0)
    ticks = scale.ticks(num)
    slack = 1e-6 * (scale.high - scale.low)
    assert all(scale.low - slack <= tick <= scale.high + slack for tick in ticks)
    assert len(ticks) <= 2.6 * num + 1  # a step is at least as long as wanted
    assert len(set(tick_texts(ticks))) == len(ticks)
