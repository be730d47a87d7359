"""
Twenty million records from CSV files to counts: on one process, then on 1 and 2 workers.

The records are real ones, drawn again and again: each keeps its category, outcome
and whether it has an ID and coordinates, and gets another ID, month and place (near
the middle of an LSOA of England or Wales). One in 200 IDs repeats another.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import csv

from benchmarks.harness import Result
from placeshaping._core.crs import to_degrees
from placeshaping.areas.boundaries import read_boundaries
from placeshaping.joins.cluster import connect, count_on_cluster
from placeshaping.joins.points import count_by_area, place_events
from placeshaping.joins.streams import count_streamed
from placeshaping.sources.archives import Reader, list_members
from placeshaping.sources.police import read_police

ROWS = 20_000_000
MONTHS = 36
FORCES = ("essex", "leicestershire")
LIMIT_GB = 2.0
BOUNDARIES = Path("boundaries") / "lsoa_2021_ew.parquet"


def run(data: Path, *, rows: int = ROWS) -> list[Result]:
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made)
        write_records(data, folder, rows)
        size = sum(path.stat().st_size for path in folder.rglob("*.csv"))
        sides = {how: _measured(how, folder, data) for how in ("stream", "local:1", "local:2")}
        same = _same_as_in_memory(folder, data)
    same &= len({side["digest"] for side in sides.values()}) == 1
    stream = sides["stream"]
    text = f"{stream['rows']:,} rows ({size / 1e9:.1f} GB of CSV), {stream['areas']:,} LSOAs"
    results = [
        Result(
            "streamed_memory",
            f"{text}: most memory resident",
            stream["peak_gb"],
            unit="GB",
            limit=LIMIT_GB,
            same_answer=same,
            notes={"counted": f"{stream['counted']:,}", "cells": f"{stream['cells']:,}"},
        )
    ]
    for how, side in sides.items():
        name = "streamed" if how == "stream" else f"cluster_{how[-1]}"
        rate = stream["rows"] / side["seconds"]
        notes = {"rows_per_second": f"{rate:,.0f}", "peak_gb": side["peak_gb"]}
        notes |= {"workers_gb": side["workers_gb"]} if side["workers_gb"] else {}
        done = Result(name, f"{text}: {how}", side["seconds"], same_answer=same, notes=notes)
        if how != "stream":
            done.peer, done.theirs = "one process", stream["seconds"]
        results.append(done)
    return results


def write_records(data: Path, folder: Path, rows: int) -> None:
    """Write a folder as police.uk lays it out, with about as many rows as asked for."""
    rng = np.random.default_rng(1)
    real = pa.concat_tables([_real(data / "police_uk" / f"{force}.zip") for force in FORCES])
    areas = read_boundaries(data / BOUNDARIES)
    middle = areas.representative_point()
    each = rows // (MONTHS * len(FORCES))
    for month in pd.period_range("2023-01", periods=MONTHS, freq="M"):
        for force in FORCES:
            table = _redrawn(real, areas.index, middle, each, str(month), rng)
            path = folder / str(month) / f"{month}-{force}-street.csv"
            path.parent.mkdir(exist_ok=True)
            csv.write_csv(table, path)


def _real(archive: Path) -> pa.Table:
    with Reader() as reader:
        tables = [reader.read(member) for member in list_members(archive)]
    names = tables[0].split(b"\n", 1)[0].decode().strip().split(",")
    types = dict.fromkeys(names, pa.string())
    options = csv.ConvertOptions(column_types=types, strings_can_be_null=True)
    return pa.concat_tables(
        [csv.read_csv(pa.BufferReader(raw), convert_options=options) for raw in tables]
    )


def _redrawn(
    real: pa.Table, codes: pd.Index, middle: pd.Series, size: int, month: str, rng
) -> pa.Table:
    drawn = real.take(pa.array(rng.integers(0, len(real), size)))
    area = rng.integers(0, len(codes), size)
    x = middle.x.to_numpy()[area] + rng.normal(0, 150, size)
    y = middle.y.to_numpy()[area] + rng.normal(0, 150, size)
    longitude, latitude = to_degrees(x, y)
    blank = pc.is_null(drawn["Longitude"])
    nothing = pa.scalar(None, pa.string())
    changed = {
        "Crime ID": pc.if_else(pc.is_null(drawn["Crime ID"]), nothing, _ids(size, rng)),
        "Month": pa.array(np.full(size, month)),
        "Longitude": pc.if_else(blank, None, pa.array(longitude.round(6))),
        "Latitude": pc.if_else(blank, None, pa.array(latitude.round(6))),
        "LSOA code": pc.if_else(blank, nothing, pa.array(codes.to_numpy(dtype=object)[area])),
    }
    for name, values in changed.items():
        drawn = drawn.set_column(drawn.column_names.index(name), name, values)
    return drawn


def _ids(size: int, rng) -> pa.Array:
    """Make IDs of 64 hexadecimal digits; one in 200 is drawn from few enough to repeat."""
    digits = np.frombuffer(b"0123456789abcdef", dtype=np.uint8)
    text = digits[rng.integers(0, 16, (size, 64), dtype=np.uint8)]
    few = np.flatnonzero(rng.random(size) < 0.005)
    text[few] = digits[0]
    text[few, -4:] = digits[rng.integers(0, 16, (len(few), 4))]
    offsets = np.arange(size + 1, dtype=np.int32) * 64
    return pa.Array.from_buffers(
        pa.string(), size, [None, pa.py_buffer(offsets), pa.py_buffer(text.tobytes())]
    )


def _measured(how: str, folder: Path, data: Path) -> dict:
    """Count in a process of its own, whose memory is its own."""
    command = [sys.executable, "-m", "benchmarks.streaming", how, str(folder), str(data)]
    done = subprocess.run(command, stdout=subprocess.PIPE, check=True, text=True)
    return json.loads(done.stdout.splitlines()[-1])


def _count(how: str, folder: Path, data: Path) -> dict:
    areas = read_boundaries(data / BOUNDARIES)
    workers: list[float] = []
    start = time.perf_counter()
    if how == "stream":
        counts = count_streamed(folder, areas, outside="drop")
        seconds = time.perf_counter() - start
    else:
        with connect(how) as client:
            start = time.perf_counter()
            counts = count_on_cluster(client, folder, areas, outside="drop")
            seconds = time.perf_counter() - start
            workers = list(client.run(_peak_gb).values())
    return {
        "seconds": seconds,
        "peak_gb": _peak_gb(),
        "workers_gb": workers,
        "rows": counts.attrs["records"][0].rows_read,
        "areas": len(areas),
        "cells": len(counts),
        "counted": int(counts["count"].sum()),
        "digest": int(pd.util.hash_array(counts["count"].to_numpy()).sum()),
    }


def _peak_gb() -> float:
    status = Path("/proc/self/status").read_text(encoding="ascii")
    line = next(line for line in status.splitlines() if line.startswith("VmHWM"))
    return round(int(line.split()[1]) * 1024 / 1e9, 3)


def _same_as_in_memory(folder: Path, data: Path) -> bool:
    """Compare one month with what one machine counts, table and reports."""
    areas = read_boundaries(data / BOUNDARIES)
    month = folder / "2023-01"
    events = read_police(month)
    codes = place_events(events, areas, outside="drop")
    counted = count_by_area(events, areas, codes=codes, outside="drop")
    streamed = count_streamed(month, areas, outside="drop")
    return (
        streamed.equals(counted)
        and streamed.attrs["report"] == counted.attrs["report"]
        and streamed.attrs["records"] == (events.attrs["report"],)
    )


if __name__ == "__main__":
    print(json.dumps(_count(sys.argv[1], Path(sys.argv[2]), Path(sys.argv[3]))))
