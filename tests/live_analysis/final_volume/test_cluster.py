"""The same volume made by workers of a Dask cluster, one of which is killed."""

import os
import signal
from pathlib import Path

import numpy as np
import pytest

from live_analysis.final_volume.cluster import make_slabs_on_cluster
from tests.live_analysis.final_volume.scans import begun, made, opened, voxels, written

distributed = pytest.importorskip("distributed", reason="Dask is not installed: pip install 'operando[dask]'")


def test_a_volume_whose_worker_was_killed_on_the_way_is_that_of_one_process(tmp_path: Path) -> None:
    scan = opened(written(tmp_path / "scan.h5"))
    made(tmp_path / "serial.zarr", scan)
    volume = begun(tmp_path / "cluster.zarr", scan)
    with (
        distributed.LocalCluster(n_workers=2, threads_per_worker=1, processes=True, dashboard_address=None) as cluster,
        distributed.Client(cluster) as client,
    ):
        pids = client.run(os.getpid)
        killed = None
        for progress in make_slabs_on_cluster(volume, scan, client, num_threads=1):
            if killed is None and progress.num_done:
                busy = [address for address, keys in client.processing().items() if keys]
                assert busy, "nobody works, so that nobody can be killed at it"
                killed = pids[busy[0]]
                os.kill(killed, signal.SIGKILL)
        assert progress.num_done == progress.num_slabs == volume.plan.num_slabs > 3
        assert killed not in client.run(os.getpid).values()
    assert volume.complete
    np.testing.assert_array_equal(voxels(tmp_path / "cluster.zarr"), voxels(tmp_path / "serial.zarr"))
