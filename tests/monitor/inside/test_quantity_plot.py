from math import nan
from pathlib import Path

import pytest
from PySide6 import QtGui, QtWidgets

from operando.model.experiment import Published
from operando.monitor.inside.published import PublishedNumbers, PublishedReader
from operando.monitor.inside.quantity_plot import AXIS_PX, RIGHT_PX, QuantityPlot, plotted
from operando.monitor.reading.run_view import MeasurementView
from operando.monitor.theme import Look

VOLUME = "high_attenuation_volume"
MEASURED = (
    MeasurementView("OCV", VOLUME, 0.0, "um3", 3e3, ("below_detection",)),
    MeasurementView("OCV", "voltage", 2.3, "V", 1e-4, ()),
    MeasurementView("D1.7V", VOLUME, 2.4e4, "um3", 4e3, ()),
    MeasurementView("D1.2V", VOLUME, nan, "um3", nan, ()),
)
TWO = PublishedNumbers(
    (
        Published(id="A-1", tomogram="D1.7V", name=VOLUME, value=2.56e4, unit="um3"),
        Published(id="A-2", tomogram="C3.0V", name=VOLUME, value=3.7e4, unit="um3", relation="at most"),
    ),
    "Zhang et al. <2022>",
)


def test_states_stand_in_the_order_of_the_run_and_the_published_ones_to_come_behind_them() -> None:
    shown = plotted(VOLUME, MEASURED, TWO)
    assert shown.states == ("OCV", "D1.7V", "C3.0V")
    assert [entry.value for entry in shown.measured] == [0.0, 2.4e4]
    assert shown.unit == "um3"


def test_a_published_number_in_another_unit_is_not_drawn_beside_the_measured_one() -> None:
    odd = PublishedNumbers((Published(id="A-1", tomogram="OCV", name=VOLUME, value=1.0, unit="mm3"),), "")
    assert plotted(VOLUME, MEASURED, odd).published == ()


@pytest.mark.usefixtures("open_monitor")
def test_the_plot_says_what_bars_and_symbols_are_and_names_the_publication() -> None:
    plot = QuantityPlot(Look())
    plot.show_measurements(MEASURED)
    plot.show_published(TWO)
    assert plot.shown == plotted(VOLUME, MEASURED, TWO)
    legend = "\n".join(label.text() for label in plot.findChildren(QtWidgets.QLabel))
    assert "one standard uncertainty" in legend
    assert "with flags" in legend
    assert "published as at most" in legend
    assert "Zhang et al. &lt;2022&gt;" in legend
    plot.choose("voltage")
    assert plot.shown == plotted("voltage", MEASURED, TWO)
    plot.show_measurements((*MEASURED, MeasurementView("D1.7V", "voltage", 1.7, "V", 1e-4, ())))
    assert plot.shown is not None
    assert plot.shown.states == ("OCV", "D1.7V")  # what was chosen stays chosen


def test_published_numbers_are_read_from_the_runs_own_experiment_file(tmp_path: Path) -> None:
    path = tmp_path / "experiment.toml"
    reader = PublishedReader(path)
    assert reader.newest().numbers == ()
    path.write_text(
        '[experiment]\nreference = "Zhang"\n'
        '[[published]]\nid = "A-1"\ntomogram = "OCV"\nname = "crack_volume"\nvalue = 0.0\nunit = "um3"\n'
        '[[published]]\nid = "A-6"\ntomogram = "OCV"\nname = "crack_volume"\nvalue = 1.0\nunit = "um3"\n'
        'elsewhere = "cus_40mpa"\n'
        '[[published]]\nid = "A-7"\nname = 5\n'
    )
    found = reader.newest()
    assert [number.id for number in found.of("crack_volume")] == ["A-1"]
    assert found.reference == "Zhang"
    assert reader.newest() is found
    path.write_text("[experiment\n")
    assert reader.newest() is found  # half-written: what was known stays


@pytest.mark.usefixtures("open_monitor")
@pytest.mark.parametrize("num", [3, 40, 1000])
def test_names_of_however_many_states_stand_apart(num: int) -> None:
    plot = QuantityPlot(Look())
    plot.resize(640, 300)
    plot.show()
    plot.show_measurements(
        tuple(MeasurementView(f"T{n:04d}_1.699V", VOLUME, float(n), "um3", 1.0, ()) for n in range(num))
    )
    axis = plot._plot.getAxis("bottom")
    (begin, end), _ = plot._plot.getViewBox().viewRange()
    px_per_state = (plot._canvas.width() - AXIS_PX - RIGHT_PX) / (end - begin)
    metrics = QtGui.QFontMetricsF(axis.style["tickFont"])
    rows: dict[int, float] = {}
    for place, text in axis._tickLevels[0]:
        row, middle, half = text.count("\n"), place * px_per_state, metrics.horizontalAdvance(text.strip()) / 2
        assert middle - half > rows.get(row, -1e9)
        rows[row] = middle + half
    assert rows
