from math import nan
from typing import Any

import pytest
from PySide6 import QtCore, QtWidgets

from operando.monitor.inside.measurement_table import MeasurementTable
from operando.monitor.reading.run_view import MeasurementView
from operando.monitor.theme import Look, Theme

MEASURED = (
    MeasurementView("OCV", "crack_volume", 120.0, "um3", 30.0, ("below_detection", "quick")),
    MeasurementView("OCV", "voltage", 2.3077, "V", 0.00015, ()),
    MeasurementView("D1.7V", "crack_volume", nan, "um3", nan, ()),
)


@pytest.mark.usefixtures("open_monitor")
def test_states_go_down_quantities_across_and_flags_are_seen_and_told() -> None:
    table = MeasurementTable(Look())
    table.show_measurements(MEASURED)
    model, roles = table.model(), QtCore.Qt.ItemDataRole

    def cell(row: int, column: int, role: QtCore.Qt.ItemDataRole = roles.DisplayRole) -> Any:
        return model.data(model.index(row, column), role)

    across = QtCore.Qt.Orientation.Horizontal
    headings = [model.headerData(column, across) for column in range(model.columnCount())]
    assert headings == ["state or step\n", "voltage\n[V]", "crack volume\n[µm³]"]
    assert [cell(row, 0) for row in range(model.rowCount())] == ["OCV", "D1.7V"]
    assert cell(0, 1) == "2.30770 ± 0.00015"
    assert cell(0, 2) == "120 ± 30 !"
    assert cell(0, 2, roles.ToolTipRole) == "<qt>below detection, quick</qt>"
    assert (cell(1, 1), cell(1, 2)) == (None, "–")


def test_a_name_of_any_length_leaves_the_values_in_view(qapp: QtWidgets.QApplication) -> None:
    table = MeasurementTable(Look(Theme.DARK, 1.0))
    table.show_measurements((MeasurementView("name" * 100, "voltage", 1.0, "V", 0.1, ()),))
    assert table.columnWidth(0) <= 220
