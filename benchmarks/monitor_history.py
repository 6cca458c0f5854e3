"""What the monitor's history costs: opening a long log, redrawing long traces, adding samples, and memory.

A log as the guard writes it is made for it, at 10 samples per second in each of three tables. Everything runs without a
display; the window is opened in a process of its own, timed from the moment that process is asked for.
"""

import argparse
import os
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import numpy as np
import psutil

from operando.model.cell_log import TABLES, CellLogWriter
from operando.model.clock import SystemClock
from operando.model.run_directory import RunDirectory
from operando.monitor.history.table_history import TableHistory

SAMPLES_PER_S = 10
START_S = 1_700_000_000.0
NUM_TRACES = 6
SECONDS_PER_HOUR, SECONDS_PER_DAY = 3600, 86_400
MEBIBYTE = 2**20
NEW_SAMPLES = SAMPLES_PER_S // 4  # between two redraws at 4 Hz
ZOOM = 0.01  # of the whole, for redraws of a part
OPENED = "opened"  # the argument that makes this module the process that opens the window


def write_log(path: Path, num_rows: int) -> None:
    """Make a log of slow changes with noise and missing values, of ``num_rows`` in each table."""
    writer = CellLogWriter(path)
    writer.event("guard", "Started.", time_s=START_S, wall_s=START_S)
    writer.close()
    # A generator of numbers in SQLite itself is some ten times as fast as handing rows over.
    noise = "(i * 7919 % 1009 - 504) * 1e-6"
    with closing(sqlite3.connect(path)) as log:
        log.execute("PRAGMA synchronous=OFF")
        for table, columns in TABLES.items():
            values = ", ".join(
                f"iif(i % 100003 = 5, NULL, {1 + place} + i * 1e-7 + {noise})" for place in range(len(columns))
            )
            log.execute(
                f"INSERT INTO {table} (time_s, wall_s, period_s, quality, {', '.join(columns)}) "
                f"WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i + 1 < {num_rows:d}) "
                f"SELECT {START_S} + i / {SAMPLES_PER_S}.0, {START_S} + i / {SAMPLES_PER_S}.0, "
                f"1.0 / {SAMPLES_PER_S}, 'OK', {values} FROM n"
            )
        log.commit()


def open_window(run: Path, began_s: float) -> None:
    """Open the monitor on a run until its history is complete; print when what was there, and what it took."""
    import pyqtgraph

    from operando.monitor.history.page import USUAL
    from operando.monitor.window import MonitorWindow

    application = pyqtgraph.mkQApp()
    window = MonitorWindow(RunDirectory(run), SystemClock())
    window.show()
    window.show_page("History")
    found: dict[str, float] = {}
    last_view, last_s, longest_s = window.view, began_s, 0.0
    while "all rows" not in found:
        application.processEvents()
        view = window.view
        if view is last_view or view is None:
            time.sleep(0.002)
            continue
        application.processEvents()  # what has changed is painted
        now_s = time.perf_counter()
        if last_view is not None:
            longest_s = max(longest_s, now_s - last_s)
        last_view, last_s = view, now_s
        unread = [trace.unread for trace in view.traces.values()]
        found.setdefault("first picture", now_s - began_s)
        if not any((part := view.traces[shown].unread) is not None and part.is_sparse for shown in USUAL):
            found.setdefault("extremes of the three traces in view", now_s - began_s)
        if not any(part is not None and part.is_sparse for part in unread):
            found.setdefault("extremes of all rows", now_s - began_s)
        if view.history_is_complete:
            found["all rows"] = now_s - began_s
    for name, seconds in found.items():
        print(f"  {name:42s} {seconds:8.2f} s")
    process = psutil.Process()
    print(f"  {'longest time between two pictures':42s} {longest_s:8.2f} s")
    print(f"  {'processor time':42s} {sum(process.cpu_times()[:2]):8.2f} s")
    print(f"  {'memory of the process':42s} {process.memory_info().rss / MEBIBYTE:8.0f} MiB", flush=True)
    window.close()


def milliseconds(action: Callable[[int], object], num_rounds: int) -> tuple[float, float]:
    """Return medians of wall and processor time in ms of an action, told the number of the round."""
    wall_s, processor_s = [], []
    for number in range(num_rounds):
        began = time.perf_counter(), time.process_time()
        action(number)
        wall_s.append(time.perf_counter() - began[0])
        processor_s.append(time.process_time() - began[1])
    return 1e3 * statistics.median(wall_s), 1e3 * statistics.median(processor_s)


def redraw(num_points: int, width_px: int, num_rounds: int) -> list[str]:
    """Redraw traces in plots above each other while samples come in, all of them and zoomed in."""
    import pyqtgraph

    from operando.monitor.history.curve import HistoryCurve
    from operando.monitor.history.plot_axis import TimeAxis
    from operando.monitor.theme import Look

    pyqtgraph.mkQApp()
    canvas = pyqtgraph.GraphicsLayoutWidget()
    canvas.resize(width_px, 150 * NUM_TRACES)
    times_s = START_S + np.arange(num_points + num_rounds * 2 * NEW_SAMPLES + 2 * NEW_SAMPLES) / SAMPLES_PER_S
    values = np.random.default_rng(1).normal(size=len(times_s)).cumsum().astype(np.float32)
    histories, curves = [], []
    for row in range(NUM_TRACES):
        plot = canvas.addPlot(row=row, col=0)
        curves.append(HistoryCurve(plot, Look(), 0))
        histories.append(TableHistory(["value"]))
        histories[-1].append(times_s[:num_points], values[:num_points, np.newaxis])

    def next_samples(_: int) -> None:
        for history, curve in zip(histories, curves, strict=True):
            new = slice(len(history), len(history) + NEW_SAMPLES)
            history.append(times_s[new], values[new, np.newaxis])
            curve.show_trace(history.trace("value"), TimeAxis(START_S, SECONDS_PER_HOUR))
        canvas.grab()

    next_samples(0)
    lines = []
    for name in ("whole length", f"{ZOOM:.0%} of it"):
        wall_ms, processor_ms = milliseconds(next_samples, num_rounds)
        lines.append(
            f"  {name:42s} {wall_ms:8.1f} ms, {processor_ms:.1f} ms of processor time; "
            f"at 4 Hz {4 * processor_ms / 10:.0f} % of a core"
        )
        end = num_points / SAMPLES_PER_S / SECONDS_PER_HOUR
        for row in range(NUM_TRACES):
            canvas.getItem(row, 0).setXRange(end * (1 - ZOOM), end, padding=0)
        canvas.grab()
    return lines


def growth(num_redraws: int) -> list[str]:
    """Redraw one trace again and again while the samples of an hour come in; tell what the process grew by."""
    import pyqtgraph

    from operando.monitor.history.curve import HistoryCurve
    from operando.monitor.history.plot_axis import TimeAxis
    from operando.monitor.theme import Look

    pyqtgraph.mkQApp()
    canvas = pyqtgraph.GraphicsLayoutWidget()
    canvas.resize(700, 200)
    curve, history = HistoryCurve(canvas.addPlot(), Look(), 0), TableHistory(["value"])
    portion = SAMPLES_PER_S * SECONDS_PER_HOUR // num_redraws
    values = np.random.default_rng(1).random((portion, 1), np.float32)

    def redraws(num: int) -> None:
        for _ in range(num):
            history.append(START_S + (len(history) + np.arange(portion)) / SAMPLES_PER_S, values)
            curve.show_trace(history.trace("value"), TimeAxis(START_S, SECONDS_PER_HOUR))
            canvas.grab()

    redraws(num_redraws // 2)  # caches of Qt and pyqtgraph fill
    before = psutil.Process().memory_info().rss, history.num_bytes
    redraws(num_redraws)
    process, samples = psutil.Process().memory_info().rss - before[0], history.num_bytes - before[1]
    return [
        f"  {f'{num_redraws} redraws, {portion * num_redraws} samples':42s} process {process / MEBIBYTE:+.2f} MiB, "
        f"of which samples {samples / MEBIBYTE:.2f} MiB"
    ]


def adding(num_points: int) -> list[str]:
    """Add samples to a table of three columns in small and large portions, at either end."""
    lines = []
    for name, portion in (("a few at a time", NEW_SAMPLES), ("8192 at a time, newest first", 8192)):
        history, num = TableHistory(["a", "b", "c"]), num_points if portion > NEW_SAMPLES else num_points // 50
        times_s, values = (
            np.arange(portion, dtype=np.float64),
            np.random.default_rng(1).random((portion, 3), np.float32),
        )
        before, began_s = psutil.Process().memory_info().rss, time.process_time()
        for first in range(0, num, portion):
            if portion > NEW_SAMPLES:
                history.prepend(times_s - first, values)
            else:
                history.append(times_s + first, values)
        taken_s = time.process_time() - began_s
        grown = psutil.Process().memory_info().rss - before
        lines.append(
            f"  {name:42s} {1e6 * taken_s / len(history):8.3f} us per row of three values, "
            f"{history.num_bytes / len(history):.1f} bytes each (process: {grown / len(history):.1f})"
        )
    return lines


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--days", type=float, default=7.0, help="length of the log (a week takes 2.5 GB of disk)")
    parser.add_argument("--points", type=int, default=1_000_000, help="of each of six traces that are redrawn")
    parser.add_argument("--width", type=int, default=1400, help="of the plots, pixels")
    parser.add_argument("--rounds", type=int, default=20)
    parser.add_argument("--growth-redraws", type=int, default=1200, help="14400 are an hour at 4 Hz")
    parser.add_argument("--folder", type=Path, help="where the log is made; a temporary folder if not given")
    arguments = parser.parse_args()
    os.environ["QT_QPA_PLATFORM"] = "offscreen"
    num_rows = round(arguments.days * SECONDS_PER_DAY * SAMPLES_PER_S)
    with tempfile.TemporaryDirectory(dir=arguments.folder) as folder:
        run = RunDirectory(Path(folder))
        write_log(run.cell_log, num_rows)
        size = run.cell_log.stat().st_size / MEBIBYTE
        print(f"opening 3 x {num_rows} rows ({size:.0f} MiB), from the start of the process", flush=True)
        subprocess.run(
            [sys.executable, "-m", "benchmarks.monitor_history", OPENED, folder, repr(time.perf_counter())], check=True
        )
    print(f"redrawing {NUM_TRACES} traces of {arguments.points} points, {arguments.width} pixels wide")
    print("\n".join(redraw(arguments.points, arguments.width, arguments.rounds)))
    print("adding samples")
    print("\n".join(adding(arguments.points)))
    print("growing for an hour")
    print("\n".join(growth(arguments.growth_redraws)))
    print("The figures of a busy machine are too large; repeat them at rest.")


if __name__ == "__main__":
    if sys.argv[1:2] == [OPENED]:
        open_window(Path(sys.argv[2]), float(sys.argv[3]))
    else:
        main()
