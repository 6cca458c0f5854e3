"""What is known of a tomogram before its frames are looked at: its start document and the experiment it belongs to."""

from collections.abc import Iterator
from dataclasses import dataclass

from live_analysis.cell_measurements import cell_measurements
from live_analysis.corrections.counts_correction import CorrectionSettings
from live_analysis.corrections.phase import PhaseFilter, filter_length_um
from live_analysis.quantity import Quantity
from live_analysis.run_follower import TomogramRun
from operando.model.experiment import Analysis, Experiment
from operando.model.geometry import CellGeometry
from operando.model.materials import attenuation_per_cm
from operando.model.measurement import Measurement
from operando.model.run_directory import RunDirectory

UM_PER_MM = 1e3


class StartDocumentError(ValueError):
    """The start document of a run does not say what the analysis must know."""


@dataclass(frozen=True)
class TomogramContext:
    """A tomogram of a run; without ``experiment`` no more is known than what its documents say."""

    run: RunDirectory
    experiment: Experiment | None
    tomogram: TomogramRun

    @property
    def analysis(self) -> Analysis | None:
        """What is to be measured."""
        return None if self.experiment is None else self.experiment.analysis

    @property
    def rehearsal(self) -> bool:
        """Whether cell and beam were simulated, or the frames recorded elsewhere."""
        return bool(self.tomogram.start.get("rehearsal"))

    @property
    def replayed(self) -> bool:
        """Whether the frames were recorded elsewhere, so that the cell of this run has nothing to do with them."""
        return self.rehearsal and self.experiment is not None and self.experiment.rehearsal is None

    @property
    def pixel_size_known(self) -> bool:
        """Whether somebody knows the size of a pixel; where not, a replay gives any."""
        return self.tomogram.said("pixel_size_um") is not None

    @property
    def cell(self) -> CellGeometry | None:
        """Bore and wall, where the experiment declares them and something is to be measured."""
        return None if self.experiment is None or self.analysis is None else self.experiment.cell.geometry

    @property
    def wall_per_cm(self) -> float | None:
        """Attenuation of the wall in 1/cm.

        Raises
        ------
        StartDocumentError, MaterialError
            If the energy is not said, or the wall's material not known.
        """
        cell = self.cell
        return None if cell is None else attenuation_per_cm(cell.wall_material, self.said("energy_kev"))

    def corrections(self, num_columns: int) -> CorrectionSettings:
        """Return how the counts of frames with so many columns are to be corrected."""
        view_mm = num_columns * self.said("pixel_size_um") / UM_PER_MM
        cell = self.cell
        return CorrectionSettings(
            phase=self._phase(), object_of_view=None if cell is None else cell.wall_outer_diameter_mm / view_mm
        )

    def said(self, key: str) -> float:
        """Return a positive number of the start document.

        Raises
        ------
        StartDocumentError
            If it says none.
        """
        value = self.tomogram.start.get(key)
        if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value < float("inf"):
            raise StartDocumentError(
                f"The start document of {self.tomogram.name} says {key} = {value!r}; a positive number is needed. "
                f'Open the run with it, as in RE(plan, {key}=1.76) or open_run({{"{key}": 1.76}}).'
            )
        return float(value)

    def readings(self) -> Iterator[Quantity]:
        """Return what the cell did meanwhile; nothing of a replay's."""
        if self.replayed:
            return
        cell = None if self.experiment is None else self.experiment.cell
        for entry in cell_measurements(self.run, self.tomogram, cell=cell):
            yield Quantity(entry.name, entry.value, entry.unit, entry.uncertainty)

    def first_voltage_v(self) -> float | None:
        """Return the voltage at the first projection, if the cell of the pictures was read."""
        readings = () if self.replayed else self.tomogram.cell_readings
        return next((float(reading["data"]["cell_voltage"]) for reading in readings), None)

    def measurement(self, quantity: Quantity, num_projections: int) -> Measurement:
        """Say that a quantity comes from this tomogram."""
        return quantity.measured(
            tomogram=self.tomogram.name,
            run_uid=self.tomogram.uid,
            time_s=self._time_s(),
            num_frames=num_projections,
        )

    def _phase(self) -> PhaseFilter | None:
        settings = None if self.analysis is None else self.analysis.phase_retrieval
        if settings is None:
            return None
        return PhaseFilter(filter_length_um(settings, self.said("energy_kev")), self.said("pixel_size_um"))

    def _time_s(self) -> float:
        """When the tomogram's last projection was taken, on the run's clock as far as it is known."""
        readings = self.tomogram.cell_readings
        if readings:
            return float(readings[-1]["data"].get("cell_sample_time", readings[-1]["time"]))
        return float((self.tomogram.stop or self.tomogram.start)["time"])
