"""Which slabs of a volume are on the disk: one line each, written when the chunks are."""

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path

from live_analysis.corrections.stripes import StripesFound
from live_analysis.final_volume.ome_zarr import VolumeStore
from live_analysis.final_volume.raw_scan import VolumeError
from live_analysis.final_volume.slab import SlabDone
from live_analysis.final_volume.slab_integrals import Losses
from operando.model.json_lines import JsonLinesWriter, read_json_lines

NAME = "slabs.jsonl"


class SlabJournal:
    """Appends a line for each slab; it must be held by `only_writer`."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / NAME

    def done(self, store: VolumeStore) -> dict[int, SlabDone]:
        """Return the slabs that have a line and whose files still have the size that it says."""
        found = {}
        for line in read_json_lines(self._path):
            try:
                slab = SlabDone(
                    **{**line, "losses": Losses(**line["losses"]), "stripes": StripesFound(**line["stripes"])}
                )
                found[slab.index] = slab
            except (KeyError, TypeError):
                continue
        return {index: slab for index, slab in found.items() if store.num_bytes(index) == slab.num_bytes}

    def append(self, slab: SlabDone) -> None:
        """Write a line; return once the disk has it."""
        writer = JsonLinesWriter(self._path)
        try:
            writer.append(asdict(slab))
        finally:
            writer.close()

    def forget(self) -> None:
        """Let every slab count as missing."""
        self._path.unlink(missing_ok=True)


@contextmanager
def only_writer(folder: Path) -> Iterator[None]:
    """Hold the volume: nobody else writes it meanwhile, and whoever is killed lets go.

    Raises
    ------
    VolumeError
        If another process writes it.
    """
    folder.parent.mkdir(parents=True, exist_ok=True)
    lock = folder.with_name(f"{folder.name}.lock")
    with lock.open("a") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise VolumeError(f"{folder}: another process is writing this volume. Wait for it, or end it.") from error
        yield
