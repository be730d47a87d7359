"""
Near repeats beside pointpats and whole matrices; the levels of the test when run by itself.

``python -m benchmarks.near_repeat`` prints how often the table finds what is
not there, and what was planted.
"""

from __future__ import annotations

import resource
import subprocess
import sys
import time
import warnings
from pathlib import Path

import numpy as np
import pandas as pd
from pointpats.spacetime import Knox
from scipy.spatial.distance import cdist

from benchmarks.harness import Result, seconds
from placeshaping.hotspots.near_repeat import knox

EVENTS = 11_000
BANDS = (0, 100, 200, 300, 400, 500)
DAYS = (0, 7, 14, 21, 28, 35)
FEW = 3  # replicates of the whole matrices that are measured; each takes as long as the next


def chicago(data: Path) -> pd.DataFrame:
    """Assaults of ten years, in metres (EPSG:26971)."""
    from pyproj import Transformer

    table = pd.read_csv(data / "daily" / "chicago_aggravated_assaults.csv.gz", parse_dates=["date"])
    to_metres = Transformer.from_crs(4326, 26971, always_xy=True)
    east, north = to_metres.transform(table["longitude"], table["latitude"])
    return pd.DataFrame({"easting": east, "northing": north, "time": table["date"]})


def dense(xy: np.ndarray, days: np.ndarray, permutations: int, seed: int) -> tuple:
    """The table from whole matrices, as R's NearRepeat makes it."""
    rng = np.random.default_rng(seed)
    upper = np.triu_indices(len(xy), 1)
    space = np.digitize(cdist(xy, xy)[upper], BANDS) - 1
    steps = len(DAYS) - 1
    step_of = np.digitize(np.arange(DAYS[-1] + 1), DAYS).astype(np.int8) - 1

    def table(order: np.ndarray) -> np.ndarray:
        lag = np.abs(order[:, None] - order)[upper]
        step = step_of[np.minimum(lag, DAYS[-1])]
        both = (space < len(BANDS) - 1) & (step < steps)
        return np.bincount(space[both] * steps + step[both], minlength=steps * (len(BANDS) - 1))

    seen = table(days)
    start = time.perf_counter()
    drawn = [table(rng.permutation(days)) for _ in range(permutations)]
    return seen, np.array(drawn), (time.perf_counter() - start) / max(permutations, 1)


def peak(data: Path, events: int) -> dict[str, float]:
    """Time and memory of one table in a process of its own."""
    code = f"""
import time
from pathlib import Path
from benchmarks.near_repeat import chicago
from placeshaping.hotspots.near_repeat import knox
events = chicago(Path({str(data)!r}))[:{events}]
knox(events[:500], permutations=64, same_place=False)
def held(name):
    # Not ru_maxrss: a child takes that over from the process that began it.
    text = Path("/proc/self/status").read_text()
    return int(text.split(name + ":")[1].split()[0]) / 1024
before = held("VmRSS")
start = time.perf_counter()
table = knox(events, permutations=999, same_place=False)
print(time.perf_counter() - start, before, held("VmHWM"), table.attrs["pairs"])
"""
    told = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", code], capture_output=True, text=True, check=True
    )
    wall, before, most, pairs = map(float, told.stdout.split())
    return {"seconds": wall, "MB before": before, "MB at most": most, "close pairs": pairs}


def run(data: Path) -> list[Result]:
    events = chicago(data)[:EVENTS]
    xy = events[["easting", "northing"]].to_numpy()
    days = events["time"].dt.floor("D").to_numpy().astype("datetime64[D]").astype(int)

    def ours() -> pd.DataFrame:
        return knox(events, distances=BANDS, days=DAYS, same_place=False, permutations=999)

    table = ours()
    taken = seconds(ours)
    start = time.perf_counter()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        # One cell of the twenty-five: under 100 m, under 7 days (pointpats takes <=).
        theirs = Knox(
            xy, days[:, None].astype(float), delta=np.nextafter(100.0, 0), tau=6.5, permutations=999
        )
    peer = time.perf_counter() - start
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    seen, _, each = dense(xy, days, FEW, 1)
    after = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    first = table.iloc[0]
    same = bool(first["observed"] == theirs.statistic_) and np.isclose(
        first["expected"], theirs.expected[0, 0]
    )
    small, whole = peak(data, EVENTS), peak(data, 10**9)
    return [
        Result(
            "near_repeat",
            f"Knox table of {EVENTS:,} events, 5 x 5 bands, 999 permutations",
            taken,
            peer="pointpats Knox, one cell of it, 999 permutations",
            theirs=peer,
            same_answer=bool(same),
            notes={
                "p of that cell, ours and theirs": (float(first["p_value"]), float(theirs.p_sim)),
                **{f"alone: {name}": round(value, 1) for name, value in small.items()},
            },
        ),
        Result(
            "near_repeat_dense",
            f"Knox table of {EVENTS:,} events, 5 x 5 bands, 999 permutations",
            taken,
            peer=f"whole matrices in numpy, {FEW} replicates measured, times 999",
            theirs=each * 999,
            same_answer=table["observed"].tolist() == seen.tolist(),
            notes={"MB before and after the matrices": (round(before), round(after))},
        ),
        Result(
            "near_repeat_large",
            f"Knox table of {len(chicago(data)):,} events, 5 x 5 bands, 999 permutations",
            whole["seconds"],
            notes={name: round(value, 1) for name, value in whole.items()},
        ),
    ]


def levels(tables: int = 400, permutations: int = 999) -> None:
    """Print how often something is found where places and dates are clustered, not together."""
    rng = np.random.default_rng(7)
    options = {"same_place": False, "permutations": permutations}
    cells, any_, chosen = [], [], []
    for _ in range(tables):
        centres = rng.uniform(4e5, 4.1e5, (12, 2))
        xy = centres[rng.integers(0, 12, 400)] + rng.normal(0, 300, (400, 2))
        waves = rng.uniform(0, 365, 6)[rng.integers(0, 6, 400)] + rng.normal(0, 15, 400)
        table = pd.DataFrame(xy, columns=["easting", "northing"])
        table["time"] = np.floor(waves).astype(int)
        found = knox(table, **options, rng=int(rng.integers(1 << 30)))
        cells.append((found["p_value"] <= 0.05).mean())
        any_.append((found["q_value"] < 0.05).any())
        chosen.append(found["p_value"].iloc[0] <= 0.05)
    print(f"No interaction, {tables} tables of 400 events, {permutations} permutations:")
    error = np.sqrt(0.05 * 0.95 / tables)
    print(
        f"  first cell at p <= 0.05: {np.mean(chosen):.3f} (nominal 0.050, +- {1.96 * error:.3f})"
    )
    print(f"  all cells at p <= 0.05: {np.mean(cells):.3f}")
    print(f"  tables with any cell at q < 0.05: {np.mean(any_):.3f}")


def limits(tables: int = 200) -> None:
    """Print how often the 95 % limits hold the ratio of the process that events come from."""
    rng = np.random.default_rng(8)
    held, ratios = [], []
    for _ in range(tables):
        xy = rng.uniform(4e5, 4.08e5, (1200, 2))
        day = rng.integers(0, 365, 1200)
        children = int(rng.poisson(150))
        parent = rng.integers(0, 1200, children)
        near = xy[parent] + rng.normal(0, 60, (children, 2))
        table = pd.DataFrame(np.concatenate([xy, near]), columns=["easting", "northing"])
        table["time"] = np.concatenate([day, day[parent] + rng.integers(0, 10, children)])
        found = knox(table, same_place=False, permutations=0)
        ratios.append(found["ratio"].iloc[0])
        held.append((found["lower"].iloc[0], found["upper"].iloc[0]))
    true = float(np.exp(np.mean(np.log(ratios))))
    low, high = np.array(held).T
    share = float(((low <= true) & (true <= high)).mean())
    print(f"Limits of the ratio, {tables} processes with repeats: {share:.3f} hold {true:.2f}")


def power() -> None:
    """Print what is found in the built-in district, where burglaries set off others."""
    from placeshaping.synthetic.district import make_district

    records = make_district(100, seed=3, months=24).events
    own = records[records["category"] == "Burglary"]
    for name, part in (("as drawn", own), ("background alone", own[own["origin"] == "background"])):
        table = knox(part, distances=(0, 200, 400, 600, 800), same_place=False)
        cell, more = table.iloc[0], int((table["pattern"] == "more").sum())
        print(
            f"Burglary of the built-in district, {name}, {len(part):,} events: under 200 m and 7 "
            f"days {cell['observed']} pairs, {cell['expected']:.1f} expected, ratio "
            f"{cell['ratio']:.2f} ({cell['lower']:.2f} to {cell['upper']:.2f}), p "
            f"{cell['p_value']:.3f}; {more} of {len(table)} bands at q < 0.05"
        )


if __name__ == "__main__":
    import logging

    logging.disable(logging.WARNING)
    levels()
    limits()
    power()
