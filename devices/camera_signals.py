"""The process variables of an areaDetector camera and its HDF5 writer that are used, and no others.

ophyd's SimDetectorCam and HDF5Plugin_V34 name some 270; connecting them one at a time takes seconds.
"""

from typing import Any

from ophyd import Component, Device, EpicsSignal, EpicsSignalRO
from ophyd.areadetector.base import EpicsSignalWithRBV


def _setting(suffix: str, **options: Any) -> Any:
    return Component(EpicsSignalWithRBV, suffix, kind="omitted", **options)


def _readback(suffix: str, **options: Any) -> Any:
    return Component(EpicsSignalRO, suffix, kind="omitted", **options)


class CameraDriver(Device):  # type: ignore[misc]
    """The camera itself (``cam1:``)."""

    acquire = Component(EpicsSignal, "Acquire", kind="omitted")
    acquiring = _readback("Acquire_RBV", auto_monitor=True)
    acquire_time = Component(EpicsSignalWithRBV, "AcquireTime", kind="config")
    acquire_period = Component(EpicsSignalWithRBV, "AcquirePeriod", kind="config")
    num_images = _setting("NumImages")
    image_mode = _setting("ImageMode")
    array_callbacks = _setting("ArrayCallbacks")
    array_counter = _readback("ArrayCounter_RBV")
    array_size_x = _readback("ArraySizeX_RBV")
    array_size_y = _readback("ArraySizeY_RBV")
    chip_columns = _readback("MaxSizeX_RBV")
    chip_rows = _readback("MaxSizeY_RBV")
    bin_x = Component(EpicsSignalWithRBV, "BinX", kind="config")
    bin_y = Component(EpicsSignalWithRBV, "BinY", kind="config")
    min_x = Component(EpicsSignalWithRBV, "MinX", kind="config")
    min_y = Component(EpicsSignalWithRBV, "MinY", kind="config")
    size_x = Component(EpicsSignalWithRBV, "SizeX", kind="config")
    size_y = Component(EpicsSignalWithRBV, "SizeY", kind="config")


class FileWriter(Device):  # type: ignore[misc]
    """The HDF5 writer (``HDF1:``)."""

    enable = _setting("EnableCallbacks")
    create_directory = _setting("CreateDirectory")
    file_path = _setting("FilePath", string=True)
    file_name = _setting("FileName", string=True)
    file_template = _setting("FileTemplate", string=True)
    file_write_mode = _setting("FileWriteMode")
    swmr_mode = _setting("SWMRMode")
    num_capture = _setting("NumCapture")
    capture = Component(EpicsSignal, "Capture", kind="omitted")
    capturing = _readback("Capture_RBV", auto_monitor=True)
    num_captured = _readback("NumCaptured_RBV")
    time_stamp = _readback("TimeStamp_RBV")
    dropped_arrays = _readback("DroppedArrays_RBV")
    full_file_name = _readback("FullFileName_RBV", string=True)
