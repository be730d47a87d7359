"""Run every benchmark, or those named."""

from __future__ import annotations

import importlib
import os
import sys
from pathlib import Path

from benchmarks.harness import report

HERE = Path(__file__).parent
SETS = (
    "agreement",
    "command_line",
    "joins",
    "national",
    "growth",
    "hot_spots",
    "emerging",
    "scan",
    "near_repeat",
    "density",
    "local_rates",
    "self_exciting",
    "likelihood",
    "patrol",
    "access",
    "siting",
    "profiles",
    "wards",
    "ward_painting",
    "segments",
    "evaluation",
    "map_size",
    "map_open",
    "main_job",
    "streaming",
    "disclosure",
)


def data_folder() -> Path:
    """Return the folder of real data."""
    folder = Path(os.environ.get("PLACESHAPING_DATA", HERE.parents[1] / "shared" / "data"))
    if not (folder / "README.md").is_file():
        sys.exit("Benchmarks need the real data: set PLACESHAPING_DATA.")
    return folder


if __name__ == "__main__":
    wanted = sys.argv[1:] or list(SETS)
    data = data_folder()
    for name in wanted:
        print(f"-- {name}")
        for result in importlib.import_module(f"benchmarks.{name}").run(data):
            report([result], HERE / "results.json")
