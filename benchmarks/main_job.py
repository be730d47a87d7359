"""The main job on 36 months of one force, to all outputs, as a whole process."""

from __future__ import annotations

import statistics
import sys
import tempfile
from pathlib import Path

from benchmarks.harness import Result, process

RECIPE = Path(__file__).parents[1] / "tests" / "real" / "leicestershire.toml"

CODE = """
import datetime as dt, sys, tomllib
from placeshaping.project.pipeline import run
recipe = tomllib.load(open(sys.argv[1], "rb"))
recipe["output"] = {"folder": sys.argv[3]}
run(recipe, folder=sys.argv[2], made_on=dt.date(2026, 1, 31))
if len(sys.argv) > 4:  # the kernel's own high-water mark: wait4's holds the parent's too
    status = open("/proc/self/status").read()
    open(sys.argv[4], "w").write(status.split("VmHWM:")[1].split()[0])
"""


def run(data: Path) -> list[Result]:
    command = (sys.executable, "-c", CODE, str(RECIPE), str(data))
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "products"
        cold = process(*command, str(out), env={"NUMBA_CACHE_DIR": str(Path(folder) / "cache")})
        peak = Path(folder) / "peak"
        warm = [process(*command, str(out), str(peak)) for _ in range(3)]
        peak_mb = int(peak.read_text()) / 1024
        sizes = {path.name: f"{path.stat().st_size / 1000:,.0f} KB" for path in out.iterdir()}
        page = (out / "map.html").stat().st_size / 1000
    return [
        Result(
            "main_job_warm",
            "Leicestershire, 324,093 rows, national boundaries, to all outputs: wall",
            statistics.median(p.wall for p in warm),
            limit=20,
            notes=sizes,
        ),
        Result("main_job_cold", "the same with an empty compile cache: wall", cold.wall, limit=40),
        Result(
            "main_job_memory",
            "the same: peak resident memory",
            peak_mb,
            unit="MB",
            limit=1500,
        ),
        Result("main_job_page", "map.html of the county's LSOAs", page, unit="KB", limit=600),
    ]
