"""Results answer over Channel Access on loopback."""

import json
import math
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

from tests.support.phantom_run import PhantomRun

SCRIPT = """
import json, pathlib, sys, threading
from operando.model.channel_access import client_environment, prepare, server_environment
run, port = pathlib.Path(sys.argv[1]), int(sys.argv[2])
prepare(server_environment(port) | client_environment([f"127.0.0.1:{port}"], {}, repeater_port=None))
from caproto.sync.client import read
from live_analysis.analyse import analyse
from live_analysis.results_server import ResultsServer
from operando.model.clock import SystemClock
server = ResultsServer("PHANTOM:results:", "127.0.0.1", SystemClock())
server.start()
for _ in range(2):
    analyse(run, follow=True, again=False, stop=threading.Event(), report=lambda _: None, publish=server.publish)
    values = {}
    for name in ("LAST", "NUM_MEASUREMENTS", "TOMOGRAM", "PROGRESS", "HIGH_ATTENUATION_VOLUME",
                 "HIGH_ATTENUATION_UNCERTAINTY", "NUM_FAILED", "STATE", "QUEUE", "DROPPED"):
        data = read("PHANTOM:results:" + name, timeout=5, repeater=False).data
        values[name] = data[0].decode() if isinstance(data[0], bytes) else data.tolist()
    values["LAST"] = bytes(values["LAST"]).decode() if isinstance(values["LAST"], list) else values["LAST"]
    print(json.dumps(values), flush=True)
    server.stop()
    server = ResultsServer("PHANTOM:results:", "127.0.0.1", SystemClock())
    server.start()
server.stop()
"""


def first(value: Any) -> float:
    return float(value[0])


def test_results_and_progress_are_process_variables_also_after_a_restart(tmp_path: Path) -> None:
    faked = PhantomRun(tmp_path / "run")
    faked.complete("OCV", 1)
    faked.end()
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    result = subprocess.run(
        [sys.executable, "-c", SCRIPT, str(faked.run.path), str(port)],
        cwd=Path(__file__).parents[2],
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )
    assert result.returncode == 0, result.stderr[-3000:]
    live, restarted = (json.loads(line) for line in result.stdout.splitlines())
    assert live["STATE"] == "ENDED"
    assert first(live["NUM_MEASUREMENTS"]) == first(restarted["NUM_MEASUREMENTS"]) > 13
    assert first(live["NUM_FAILED"]) == first(live["QUEUE"]) == first(live["DROPPED"]) == 0
    assert 1e6 < first(live["HIGH_ATTENUATION_VOLUME"]) < 1.5e6  # um3
    assert math.isfinite(first(live["HIGH_ATTENUATION_UNCERTAINTY"]))
    assert json.loads(live["LAST"])["tomogram"] == "OCV"
    assert restarted == live
