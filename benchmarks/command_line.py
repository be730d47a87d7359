"""What it costs to ask for help."""

from __future__ import annotations

import statistics
import sys
from pathlib import Path

from benchmarks.harness import Result, process


def run(_data: Path) -> list[Result]:
    ours = [process(sys.executable, "-m", "placeshaping", "--help").cpu for _ in range(7)]
    theirs = [process(sys.executable, "-c", "import geopandas").cpu for _ in range(7)]
    return [
        Result(
            "help_cpu",
            "placeshaping --help, CPU seconds of the whole process",
            statistics.median(ours),
            peer="import geopandas",
            theirs=statistics.median(theirs),
            limit=0.3,
        )
    ]
