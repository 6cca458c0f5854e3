"""Describes a frames file that grows with StreamResource and StreamDatum documents."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from event_model import compose_stream_resource

from operando.model.frames import ANGLES, FRAME_IDS, IMAGES, TIMES

# data key's end -> dataset, type, unit, what it is
DATASETS: dict[str, tuple[str, str, str]] = {
    "image": (IMAGES, "<u2", "counts"),
    "frame_time": (TIMES, "<f8", "s"),
    "frame_id": (FRAME_IDS, "<i8", ""),
    "angle": (ANGLES, "<f8", "deg"),
}


def data_keys(name: str, source: str, frame_shape: tuple[int, int]) -> dict[str, dict[str, Any]]:
    """Return the data keys of one frame: the image (row, column) and the numbers beside it."""
    return {
        f"{name}_{key}": {
            "source": source,
            "dtype": "array" if key == "image" else "number",
            "shape": list(frame_shape) if key == "image" else [],
            "dtype_numpy": dtype,
            "external": "STREAM:",
            "units": unit,
        }
        for key, (_, dtype, unit) in DATASETS.items()
    }


class FrameDocuments:
    """Declares the frames of one file, each exactly once and in order."""

    def __init__(self, name: str, path: Path, frame_shape: tuple[int, int]) -> None:
        self.num_declared = 0
        self._name = name
        self._path = path
        self._frame_shape = frame_shape
        self._bundles: list[Any] = []

    def up_to(self, num_frames: int) -> Iterator[tuple[str, dict[str, Any]]]:
        """Yield the documents that declare frames up to ``num_frames``."""
        if not self._bundles:
            self._bundles = [self._resource(key, dataset) for key, (dataset, _, _) in DATASETS.items()]
            yield from (("stream_resource", bundle.stream_resource_doc) for bundle in self._bundles)
        if num_frames > self.num_declared:
            indices = {"start": self.num_declared, "stop": num_frames}
            self.num_declared = num_frames
            for bundle in self._bundles:
                yield "stream_datum", bundle.compose_stream_datum(indices)

    def _resource(self, key: str, dataset: str) -> Any:
        chunk_shape = (1, *self._frame_shape) if key == "image" else (1024,)
        return compose_stream_resource(
            mimetype="application/x-hdf5",
            uri=f"file://localhost{self._path.as_posix()}",
            data_key=f"{self._name}_{key}",
            parameters={"dataset": dataset, "chunk_shape": chunk_shape, "swmr": True},
        )
