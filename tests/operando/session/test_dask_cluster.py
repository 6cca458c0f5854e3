"""The same volume made by workers of a Dask cluster, one of which is killed."""

import os
import signal
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from live_analysis.final_volume.raw_scan import VolumeError
from operando.session.dask_cluster import slabs_on_cluster
from operando.session.errors import RequestError
from tests.live_analysis.final_volume.scans import SETTINGS, begun, made, opened, voxels, written

NOISE = replace(SETTINGS, noise=True)
distributed = pytest.importorskip("distributed", reason="Dask is not installed: pip install 'operando[dask]'")


def test_a_volume_whose_worker_was_killed_on_the_way_is_that_of_one_process(tmp_path: Path) -> None:
    scan = opened(written(tmp_path / "scan.h5"))
    made(tmp_path / "serial.zarr", scan, NOISE)
    volume = begun(tmp_path / "cluster.zarr", scan, NOISE)
    with (
        distributed.LocalCluster(n_workers=2, threads_per_worker=1, processes=True, dashboard_address=None) as cluster,
        distributed.Client(cluster) as client,
    ):
        pids, killed = client.run(os.getpid), None
        for progress in slabs_on_cluster(cluster.scheduler_address, volume, scan, num_threads=1):
            if killed is None and progress.num_done:
                busy = [address for address, keys in client.processing().items() if keys]
                assert busy, "nobody works, so that nobody can be killed at it"
                killed = pids[busy[0]]
                os.kill(killed, signal.SIGKILL)
        assert progress.num_done == progress.num_slabs == volume.plan.num_slabs > 3
        assert killed not in client.run(os.getpid).values()
    assert volume.complete
    np.testing.assert_array_equal(voxels(tmp_path / "cluster.zarr"), voxels(tmp_path / "serial.zarr"))
    uncertain, known = (voxels(tmp_path / name / "noise") for name in ("cluster.zarr", "serial.zarr"))
    np.testing.assert_allclose(uncertain, known, rtol=0.005)  # rounded to 0.2 %


def test_an_address_where_no_scheduler_answers_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("operando.session.dask_cluster.CONNECT_S", 0.5)
    scan = opened(written(tmp_path / "scan.h5"))
    volume = begun(tmp_path / "v.zarr", scan)
    with pytest.raises(RequestError, match="no scheduler answers"):
        next(slabs_on_cluster("tcp://127.0.0.1:9", volume, scan, num_threads=1))


def test_a_scheduler_without_workers_is_refused_and_one_that_is_lost_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("operando.session.dask_cluster.CONNECT_S", 0.5)
    scan = opened(written(tmp_path / "scan.h5"))
    volume = begun(tmp_path / "v.zarr", scan)
    options = {"processes": False, "threads_per_worker": 1, "dashboard_address": None, "host": "tcp://127.0.0.1"}
    with distributed.LocalCluster(n_workers=0, **options) as cluster:
        with pytest.raises(RequestError, match=r"the scheduler has no worker.*'dask worker tcp://"):
            next(slabs_on_cluster(cluster.scheduler_address, volume, scan, num_threads=1))
    monkeypatch.setattr("operando.session.dask_cluster.CONNECT_S", 2.0)
    with distributed.LocalCluster(n_workers=1, **options) as cluster:
        steps = slabs_on_cluster(cluster.scheduler_address, volume, scan, num_threads=1)
        next(steps)
        cluster.close()
        with pytest.raises(VolumeError, match="connection to the scheduler was lost"):
            list(steps)
