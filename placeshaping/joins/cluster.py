"""
The same counting on a Dask cluster: partitions are counted where they lie.

Workers read the files themselves, by the paths that they are given; what comes
back is sums and 12 bytes for each record with a Crime ID. A partition whose
worker dies is counted again on another.
"""

from __future__ import annotations

import logging
import re
import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal, get_args

import geopandas as gpd
import pandas as pd

from placeshaping._core.checks import check_choice
from placeshaping._core.errors import InputError
from placeshaping._core.optional import require
from placeshaping._core.progress import track
from placeshaping.joins._merging import Sums
from placeshaping.joins._partial import Counter, Partial
from placeshaping.joins._streamed import finish
from placeshaping.joins.points import Outside
from placeshaping.joins.streams import Records, plan_counting, sources_of
from placeshaping.sources.streams import CHUNK_ROWS, Partition
from placeshaping.sources.values import DateOrder

_log = logging.getLogger(__name__)

_LOCAL = re.compile(r"^local(?::(\d+))?$")
_ADDRESS = re.compile(r"^(tcp|tls)://([^:/\s]+|\[[0-9a-fA-F:.%]+\]):\d+$")
_LOOPBACK = "127.0.0.1"

ATTEMPTS = 3
"""How often a partition is tried anew when the worker that counts it dies."""


@contextmanager
def connect(
    cluster: str, *, timeout: float = 15.0, dashboard: str | None = f"{_LOOPBACK}:0"
) -> Iterator[Any]:
    """
    Connect to a Dask cluster, or start one on this machine, and close it afterwards.

    A script that starts one must do so under ``if __name__ == "__main__":``,
    because its worker processes load the script anew.

    Parameters
    ----------
    cluster
        ``"local"`` (a worker process for each core), ``"local:N"`` (N of
        them), or the address of a scheduler, ``"tcp://host:port"``.
    timeout
        Seconds to wait for a scheduler that does not answer.
    dashboard
        Where a cluster on this machine shows what it is doing; ``None`` for nowhere.

    Yields
    ------
    client
        A ``distributed.Client``; `dashboard_address` says where to watch it.

    Raises
    ------
    MissingExtraError
        If Dask is not installed.
    InputError
        If `cluster` is neither, nothing answers there, or it has no workers.

    Examples
    --------
    >>> with connect("cloud"):
    ...     pass
    Traceback (most recent call last):
        ...
    placeshaping._core.errors.InputError: 'cloud' is no cluster. ...
    """
    workers = _workers(cluster)
    distributed = require("distributed", extra="cluster")
    if workers is None:
        client = _joined(distributed, cluster, timeout)
        try:
            yield client
        finally:
            client.close()
        return
    with (
        distributed.LocalCluster(
            n_workers=workers or None,
            threads_per_worker=1,
            processes=True,
            host=_LOOPBACK,
            dashboard_address=dashboard or f"{_LOOPBACK}:0",
            scheduler_kwargs={"dashboard": dashboard is not None},
        ) as started,
        distributed.Client(started) as client,
    ):
        _tell(client)
        yield client


def dashboard_address(client: Any) -> str | None:
    """
    Return the address at which the scheduler shows what it is doing.

    Parameters
    ----------
    client
        From `connect`.

    Returns
    -------
    address
        A URL; ``None`` where the dashboard is turned off, or Bokeh, which draws
        it, is not installed.

    Examples
    --------
    >>> class Quiet:
    ...     def run_on_scheduler(self, question):
    ...         return False
    >>> dashboard_address(Quiet()) is None
    True
    """

    def shows(dask_scheduler: Any) -> bool:
        # Its web server runs even with the dashboard turned off, or without Bokeh to draw it.
        served = dask_scheduler.http_application.applications
        return any(type(one).__name__.endswith("BokehTornado") for one in served)

    return str(client.dashboard_link) if client.run_on_scheduler(shows) else None


def count_on_cluster(
    client: Any,
    records: Records,
    areas: gpd.GeoDataFrame,
    *,
    kind: Literal["police", "services"] = "police",
    months: tuple[str, str] | None = None,
    forces: Sequence[str] | None = None,
    categories: Sequence[str] | None = None,
    columns: Mapping[str, str] | None = None,
    category: str | None = None,
    date_order: DateOrder = "british",
    postcodes: pd.DataFrame | str | Path | None = None,
    changes: pd.DataFrame | None = None,
    outside: Outside = "raise",
    limit: float = 100.0,
    every_month: bool = False,
    chunk_rows: int = CHUNK_ROWS,
) -> pd.DataFrame:
    """
    Count records by area, month and category on a cluster.

    The answer is that of `count_streamed`, whatever the number of workers and
    the order in which they finish, and if some of them die.

    Parameters
    ----------
    client
        From `connect`.
    records, areas, kind, months, forces, categories, columns, category, date_order, postcodes
        As in `count_streamed`. Workers must find the files under the same
        absolute paths, and have this package installed.
    changes, outside, limit, every_month, chunk_rows
        As in `count_streamed`.

    Returns
    -------
    counts
        As `count_streamed` gives it; ``attrs["dashboard"]`` is the address of the
        scheduler's dashboard, ``None`` where there is none.

    Raises
    ------
    InputError
        As in `count_streamed`, or if workers die again and again.

    Examples
    --------
    >>> with connect("local:2") as client:  # doctest: +SKIP
    ...     counts = count_on_cluster(client, "archive.zip", areas, outside="drop")
    """
    check_choice(outside, get_args(Outside), name="outside")
    sources = sources_of(
        records,
        kind=kind,
        months=months,
        forces=forces,
        categories=categories,
        columns=columns,
        category=category,
        date_order=date_order,
        postcodes=postcodes,
    )
    plan = plan_counting(
        tuple(source.absolute() for source in sources),
        areas,
        changes=changes,
        limit=limit if outside == "nearest" else None,
        chunk_rows=chunk_rows,
        threads=1,
    )
    sums = Sums(len(areas))
    done = _counted(client, plan.partitions, plan.counter)
    for partial in track(done, label="Counting records", total=len(plan.partitions)):
        sums.add(partial)
    counts = finish(sums, sources, areas, changes=changes, outside=outside, every_month=every_month)
    counts.attrs["dashboard"] = dashboard_address(client)
    return counts


def _workers(cluster: str) -> int | None:
    """Return how many workers to start, 0 for one a core; None for an address."""
    local = _LOCAL.match(cluster)
    if local and (local.group(1) is None or int(local.group(1))):
        return int(local.group(1) or 0)
    if _ADDRESS.match(cluster):
        return None
    msg = (
        f"{cluster!r} is no cluster. Write local, local:2 (two worker processes on this machine), "
        "or the address of a Dask scheduler like tcp://127.0.0.1:8786."
    )
    raise InputError(msg)


def _joined(distributed: Any, address: str, timeout: float) -> Any:
    """Return a client of the scheduler at an address that answers and has workers."""
    try:
        client = distributed.Client(address, timeout=timeout)
    except (OSError, TimeoutError) as error:
        msg = (
            f"No Dask scheduler answers at {address}. Check the address, or start one there with "
            "`dask scheduler` and workers with `dask worker`; --cluster local needs neither."
        )
        raise InputError(msg) from error
    if not client.scheduler_info()["workers"]:
        client.close()
        msg = f"The scheduler at {address} has no workers. Start one: dask worker {address}"
        raise InputError(msg)
    _tell(client)
    return client


def _tell(client: Any) -> None:
    address = dashboard_address(client)
    workers = len(client.scheduler_info()["workers"])
    watch = f"watch them at {address}" if address else "there is no dashboard"
    _log.info("Counting on %d workers; %s.", workers, watch)


def _counted(client: Any, partitions: list[Partition], counter: Counter) -> Iterator[Partial]:
    """
    Give the counted partitions as they are done.

    Dask itself does anew what a dead worker had at hand, making the counter
    again too (which is why it is a task and not scattered data). A partition
    at which several workers died Dask gives up; it is sent out again.
    """
    distributed = require("distributed", extra="cluster")
    lost = (distributed.KilledWorker, distributed.client.FutureCancelledError)
    left = {partition.order: partition for partition in partitions}
    for attempt in range(1, ATTEMPTS + 1):
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", message="Sending large graph", category=UserWarning)
            shared = client.submit(_given, counter, pure=False)
        futures = {
            client.submit(_count, shared, partition, pure=False, retries=ATTEMPTS): order
            for order, partition in left.items()
        }
        try:
            for future in distributed.as_completed(list(futures)):
                partial = future.result()
                del left[partial.order]
                future.release()
                yield partial
        except lost as error:
            _log.warning("Workers were lost; %d partitions are counted again.", len(left))
            if attempt == ATTEMPTS:
                raise InputError(_lost_message(len(left), len(partitions))) from error
        finally:
            client.cancel([future for future, order in futures.items() if order in left])
        if not left:
            return


def _lost_message(left: int, of: int) -> str:
    return (
        f"Workers died again and again; {left:,} of {of:,} partitions are not counted. They may "
        "lack memory: use fewer workers a machine, or a smaller chunk_rows."
    )


def _given(counter: Counter) -> Counter:
    return counter


def _count(counter: Counter, partition: Partition) -> Partial:
    return counter.count(partition)
