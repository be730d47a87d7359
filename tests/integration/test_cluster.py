"""Counting on a cluster of real worker processes, some of which are killed."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path

import pandas as pd
import pytest

from placeshaping._core.errors import ColumnError, InputError, MissingExtraError
from placeshaping.areas.boundaries import read_boundaries
from placeshaping.joins.streams import count_streamed
from placeshaping.sources.streams import RecordSource

pytest.importorskip("distributed", reason="the extra `cluster` is not installed")

from placeshaping.joins.cluster import connect, count_on_cluster, dashboard_address


@pytest.fixture(scope="module")
def two_workers():
    with connect("local:2") as client:
        yield client


@pytest.fixture(scope="module")
def areas(district_folder):
    return read_boundaries(district_folder / "lsoa_2021.gpkg")


@pytest.fixture(scope="module")
def expected(district_folder, areas):
    return count_streamed(district_folder / "crime.zip", areas, outside="drop")


def assert_same(counts, expected):
    pd.testing.assert_frame_equal(counts, expected)
    for key in ("report", "records", "level", "vintage"):
        assert counts.attrs[key] == expected.attrs[key]


def pids(client) -> list[int]:
    return list(client.run(os.getpid).values())


@pytest.mark.parametrize("chunk_rows", [250_000, 150])
def test_cluster_counts_as_one_machine(two_workers, district_folder, areas, expected, chunk_rows):
    counts = count_on_cluster(
        two_workers, district_folder / "crime.zip", areas, outside="drop", chunk_rows=chunk_rows
    )
    assert_same(counts, expected)


def test_paths_are_found_from_another_folder(
    two_workers, district_folder, areas, expected, monkeypatch
):
    monkeypatch.chdir(district_folder)
    source = RecordSource(Path("crime.zip"))
    assert_same(count_on_cluster(two_workers, source, areas, outside="drop"), expected)


@pytest.mark.parametrize("killed", [1, 2])
def test_killed_workers_cost_time_not_the_result(
    two_workers, district_folder, areas, expected, killed
):
    two_workers.wait_for_workers(2, timeout=30)
    before = pids(two_workers)
    assert len(before) == 2
    done = []

    def kill() -> None:
        while not any("_count" in str(keys) for keys in two_workers.processing().values()):
            time.sleep(0.01)
        for pid in before[:killed]:
            os.kill(pid, signal.SIGKILL)
            done.append(pid)

    killer = threading.Thread(target=kill)
    killer.start()
    counts = count_on_cluster(
        two_workers, district_folder / "crime.zip", areas, outside="drop", chunk_rows=100
    )
    assert done == before[:killed], "the counting was over before the worker was killed"
    killer.join()
    assert_same(counts, expected)
    two_workers.wait_for_workers(2, timeout=30)
    assert not set(before[:killed]) & set(pids(two_workers))


def test_dashboard_is_shown_and_can_be_turned_off(two_workers, caplog):
    pytest.importorskip("bokeh", reason="Bokeh, which draws the dashboard, is not installed")
    assert dashboard_address(two_workers).startswith("http://127.0.0.1:")
    with (
        caplog.at_level("INFO", logger="placeshaping.joins.cluster"),
        connect("local:1", dashboard=None) as client,
    ):
        assert dashboard_address(client) is None
    assert "Counting on 1 workers; there is no dashboard." in caplog.text


def test_scheduler_elsewhere_is_joined_by_address(two_workers, district_folder, areas, expected):
    with connect(two_workers.scheduler.address) as client:
        counts = count_on_cluster(client, district_folder / "crime.zip", areas, outside="drop")
    assert_same(counts, expected)
    assert counts.attrs["dashboard"] == dashboard_address(two_workers)


def test_error_in_a_partition_is_the_error_of_one_machine(two_workers, areas, tmp_path):
    path = tmp_path / "2024-01-essex-street.csv"
    path.write_text("Crime ID,Month,Longitude,Latitude,LSOA code,Crime typ\n,,,,,\n")
    with pytest.raises(ColumnError, match="has no column 'Crime type'"):
        count_on_cluster(two_workers, path, areas)


def test_address_where_nothing_answers_names_the_remedy():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        address = f"tcp://127.0.0.1:{taken.getsockname()[1]}"
        with (
            pytest.raises(InputError, match=r"No Dask scheduler answers at .*dask scheduler"),
            connect(address, timeout=1.0),
        ):
            pass


def test_scheduler_without_workers_names_the_remedy():
    import distributed

    with (
        distributed.LocalCluster(
            n_workers=0, host="127.0.0.1", dashboard_address=None, processes=True
        ) as idle,
        pytest.raises(InputError, match=r"has no workers. Start one: dask worker tcp://"),
        connect(idle.scheduler_address),
    ):
        pass


@pytest.mark.parametrize(
    "cluster", ["cloud", "local:0", "local:00", "local:two", "http://127.0.0.1:1", ""]
)
def test_what_is_no_cluster_is_refused(cluster):
    with pytest.raises(InputError, match=r"is no cluster. Write local, local:2"), connect(cluster):
        pass


def test_missing_extra_says_what_to_install(tmp_path):
    """Run in a process in which Dask cannot be imported, as where it is not installed."""
    code = (
        "import sys; sys.modules['distributed'] = None\n"
        "from placeshaping.joins.cluster import connect\n"
        "connect('local').__enter__()\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=False, cwd=tmp_path
    )
    assert MissingExtraError.__name__ in done.stderr
    assert "python -m pip install 'placeshaping[cluster]'" in done.stderr
