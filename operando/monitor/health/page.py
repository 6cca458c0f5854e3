"""The page about the programs themselves."""

from PySide6 import QtWidgets

from operando.model.clock import SystemClock
from operando.model.run_directory import RunDirectory
from operando.monitor.health import facts
from operando.monitor.health.fact_table import FactTable
from operando.monitor.health.health_reader import HealthReader, HealthView
from operando.monitor.page import Page
from operando.monitor.reading.run_view import RunView
from operando.monitor.theme import Look


class HealthPage(Page):
    """Processes, stages with their rates and delays, what each tomogram cost, and clocks."""

    title = "Health"
    period_s = 1.0

    def __init__(self, run: RunDirectory, look: Look) -> None:
        super().__init__(run, look)
        self._reader = HealthReader(run, SystemClock())
        self._health: HealthView | None = None
        self._processes = FactTable("Processes", facts.PROCESS_HEADINGS, "No process of this run lives.", look)
        self._stages = FactTable(
            "From sample and frame to measurement: rates, queues, losses and delays", facts.STAGE_HEADINGS, "", look
        )
        self._ledger = FactTable(
            "Where the seconds of each tomogram went (run's clock), frames lost, values after its end (host's clock)",
            facts.LEDGER_HEADINGS,
            "No tomogram yet.",
            look,
        )
        self._clocks = FactTable("Clocks against the host's", facts.CLOCK_HEADINGS, "No clock compared yet.", look)
        self._tables = (self._processes, self._stages, self._ledger, self._clocks)
        layout = QtWidgets.QHBoxLayout(self)
        for tables, shares, width in (
            ((self._processes, self._stages), (2, 3), 44),
            ((self._ledger, self._clocks), (4, 1), 56),
        ):
            column = QtWidgets.QWidget()
            stacked = QtWidgets.QVBoxLayout(column)
            stacked.setContentsMargins(0, 0, 0, 0)
            for table, share in zip(tables, shares, strict=True):
                stacked.addWidget(table, share)
            layout.addWidget(column, width)

    def set_look(self, look: Look) -> None:
        """Take another size."""
        super().set_look(look)
        for table in self._tables:
            table.set_look(look)

    def read(self, view: RunView) -> HealthView:
        """Read rates, clocks and what the processes use."""
        return self._reader.read(view)

    def show_run(self, view: RunView, wall_s: float) -> None:
        """Show how it is with each process, stage, tomogram and clock."""
        self._processes.show_rows(facts.process_rows(view.processes, self._health, wall_s))
        self._stages.show_rows(facts.stage_rows(view, self._health))
        self._ledger.show_rows(facts.ledger_rows(view.ledger))
        self._clocks.show_rows(facts.clock_rows(view, self._health))

    def show_read(self, read: HealthView) -> None:
        """Keep what was read for the next showing."""
        self._health = read
