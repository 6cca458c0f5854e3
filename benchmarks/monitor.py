"""What the whole monitor costs on one core while a run goes on: rates of what is shown, processor time, memory.

A run is made whose log has a million rows in each of its tables. A process of its own adds ten samples a second and
writes three growing slices, the largest of 1024 x 1024 voxels, thirty times a second. The window stands on each page
for a while.
"""

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
import psutil

from benchmarks.monitor_history import MEBIBYTE, SAMPLES_PER_S, START_S, write_log
from operando.model.cell_log import TABLES, CellLogWriter
from operando.model.clock import SystemClock
from operando.model.json_lines import JsonLinesWriter
from operando.model.preview_slices import PreviewSlices, write_preview
from operando.model.run_directory import RunDirectory

WIDTH, ROWS = 1024, 256
PREVIEWS_PER_S = 30.0  # more than are to be shown
COMMIT_EVERY = 2  # samples: the guard commits at most every 100 ms, and not seldom
NUM_ANNOUNCED = 100_000  # projections, so that the tomogram is never over
FEED = "feed"  # the argument that makes this module the process that plays guard and analysis
SETTLING_S = 5.0  # after a page was turned to, before it is measured


def begin_run(run: RunDirectory, num_rows: int) -> None:
    """Make a run with a long log and a tomogram that is being taken."""
    for folder in (run.path, run.volumes, run.frames, run.processes):
        folder.mkdir(parents=True, exist_ok=True)
    write_log(run.cell_log, num_rows)
    end_s = START_S + num_rows / SAMPLES_PER_S
    documents = JsonLinesWriter(run.documents)
    outer: dict[str, Any] = {"uid": "outer", "kind": "experiment", "name": "long", "rehearsal": True, "time": START_S}
    tomogram = {"uid": "t", "kind": "tomogram", "tomogram": "D1.2V", "attempt": 1, "time": end_s}
    for start in (outer, {**tomogram, "num_projections": NUM_ANNOUNCED}):
        documents.append(["start", start])
    documents.close()


def feed(run: RunDirectory, num_rows: int) -> None:
    """Play guard and analysis until the process is ended."""
    writer, random = CellLogWriter(run.cell_log), np.random.default_rng(1)
    voxels = random.normal(2.0, 0.5, (2 * ROWS, 2 * WIDTH, 2)).astype(np.float32)
    begun_s, num_samples, num_previews = time.monotonic(), 0, 0
    while True:
        now_s = time.monotonic() - begun_s
        while num_samples < now_s * SAMPLES_PER_S:
            time_s = START_S + (num_rows + num_samples) / SAMPLES_PER_S
            for table, columns in TABLES.items():
                values, period_s = random.normal(size=len(columns)).tolist(), 1.0 / SAMPLES_PER_S
                writer.sample(table, time_s=time_s, wall_s=time.time(), period_s=period_s, quality="OK", values=values)
            num_samples += 1
            if num_samples % COMMIT_EVERY == 0:
                writer.commit()
        if num_previews < now_s * PREVIEWS_PER_S:
            num_previews = int(now_s * PREVIEWS_PER_S) + 1
            write_preview(run.preview(1), _slices(voxels, num_previews))
        time.sleep(0.005)


def _slices(voxels: Any, number: int) -> PreviewSlices:
    """Return slices that differ from the ones before."""
    shift = number % ROWS
    flat = voxels.ravel()
    xy = flat[shift : shift + WIDTH * WIDTH].reshape(WIDTH, WIDTH)
    xz = flat[shift : shift + ROWS * WIDTH].reshape(ROWS, WIDTH)
    return PreviewSlices(
        tomogram="D1.2V", run_uid="t", xy=xy, xz=xz, yz=xz,
        row=ROWS // 2, y=WIDTH // 2, x=WIDTH // 2, voxel_size_um=1.76, num_projections=number,
        num_announced=NUM_ANNOUNCED, coverage=min(number / 2000, 1.0), grey_values_absolute=True, complete=False,
    )  # fmt: skip


class Watched:
    """Counts what a page shows, and how long the window's thread is busy at a time."""

    def __init__(self, window: Any) -> None:
        from PySide6 import QtCore

        self._window = window
        self.shown: dict[str, int] = {}
        self._last_s, self.gaps_s = time.perf_counter(), list[float]()
        self._beat = QtCore.QTimer()
        self._beat.timeout.connect(self._take_beat)
        self._beat.start(10)
        for page in window.pages:
            for name in ("show_run", "show_read"):
                self._count(page, name)

    def _count(self, page: Any, name: str) -> None:
        method = getattr(page, name)
        last: list[Any] = [None]

        def counted(*arguments: Any) -> None:
            if arguments[0] is not last[0]:
                last[0] = arguments[0]
                self.shown[name] = self.shown.get(name, 0) + 1
            method(*arguments)

        setattr(page, name, counted)

    def _take_beat(self) -> None:
        now_s = time.perf_counter()
        self.gaps_s.append(now_s - self._last_s)
        self._last_s = now_s

    def begin(self) -> None:
        """Count from now on."""
        self.shown, self.gaps_s = {}, []


def stand_on(application: Any, seconds: float) -> None:
    """Let the window work for a while."""
    end_s = time.perf_counter() + seconds
    while time.perf_counter() < end_s:
        application.processEvents()
        time.sleep(0.001)


def show(folder: Path, seconds: float, size_px: tuple[int, int], only: str) -> None:
    """Open the window, stand on each page, or on ``only`` one, print what it cost."""
    import pyqtgraph
    from pyqtgraph.util.garbage_collector import GarbageCollector

    from operando.monitor.history.page import HistoryPage
    from operando.monitor.reading.run_view import Quantity
    from operando.monitor.window import MonitorWindow

    application = pyqtgraph.mkQApp()
    collector = GarbageCollector()
    began_s = time.perf_counter()
    window = MonitorWindow(RunDirectory(folder), SystemClock())
    window.resize(*size_px)
    window.show()
    while window.view is None:
        stand_on(application, 0.01)
    print(f"first figures after {time.perf_counter() - began_s:.2f} s")
    while window.view is None or not window.view.history_is_complete:
        stand_on(application, 0.05)
    print(f"all rows after {time.perf_counter() - began_s:.2f} s")
    watched, process = Watched(window), psutil.Process()
    print("page               runs/s  reads/s   core  longest busy    memory      grown, second half")
    for page in window.pages:
        if not page.title.lower().startswith(only):
            continue
        window.show_page(page.title)
        if isinstance(page, HistoryPage):
            page.choose_quantities(tuple(Quantity))
        stand_on(application, SETTLING_S)
        watched.begin()
        used_s, memory = sum(process.cpu_times()[:2]), process.memory_info().rss
        begun_s = time.perf_counter()
        stand_on(application, seconds / 2)
        middle = process.memory_info().rss
        stand_on(application, seconds / 2)
        took_s = time.perf_counter() - begun_s
        used_s, now = sum(process.cpu_times()[:2]) - used_s, process.memory_info().rss
        runs, reads = (watched.shown.get(name, 0) / took_s for name in ("show_run", "show_read"))
        busy_s = max(watched.gaps_s) if watched.gaps_s else float("nan")
        print(
            f"{page.title:16s} {runs:7.1f} {reads:8.1f} {used_s / took_s:6.0%} {1e3 * busy_s:10.0f} ms "
            f"{now / MEBIBYTE:5.0f} MiB {(now - memory) / MEBIBYTE:+6.1f}, {(now - middle) / MEBIBYTE:+.1f} MiB  "
            f"(median beat {1e3 * statistics.median(watched.gaps_s):.0f} ms)",
            flush=True,
        )
    collector.timer.stop()
    window.close()


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--points", type=int, default=1_000_000, help="rows of each table when the window is opened")
    parser.add_argument("--seconds", type=float, default=30.0, help="on each page; 3600 tell whether memory is flat")
    parser.add_argument("--size", default="1400x900", help="of the window, pixels")
    parser.add_argument("--page", default="", help="stand on this page only (now, history, inside, health)")
    parser.add_argument("--core", type=int, help="the one core that the window may use (any)")
    parser.add_argument("--folder", type=Path, help="where the run is made; a temporary folder if not given")
    arguments = parser.parse_args()
    os.environ["QT_QPA_PLATFORM"] = "offscreen"
    os.environ["QT_LOGGING_RULES"] = "default.warning=false"  # what an absent display cannot do
    width, height = map(int, arguments.size.split("x"))
    with tempfile.TemporaryDirectory(dir=arguments.folder) as folder:
        begin_run(RunDirectory(Path(folder)), arguments.points)
        feeding = subprocess.Popen([sys.executable, "-m", "benchmarks.monitor", FEED, folder, str(arguments.points)])
        try:
            if arguments.core is not None:
                psutil.Process().cpu_affinity([arguments.core])
            show(Path(folder), arguments.seconds, (width, height), arguments.page)
        finally:
            feeding.kill()
            feeding.wait()
    print("The figures of a busy machine are too large; repeat them at rest.")


if __name__ == "__main__":
    if sys.argv[1:2] == [FEED]:
        feed(RunDirectory(Path(sys.argv[2])), int(sys.argv[3]))
    else:
        main()
