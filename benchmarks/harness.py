"""Time a piece of work beside its peer, in one process run, and check that both agree."""

from __future__ import annotations

import gc
import json
import os
import platform
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any


@dataclass
class Result:
    """One row of the results."""

    name: str
    work: str
    ours: float
    peer: str = ""
    theirs: float | None = None
    unit: str = "s"
    same_answer: bool | None = None
    limit: float | None = None
    notes: dict[str, Any] = field(default_factory=dict)

    @property
    def ratio(self) -> float | None:
        """How many times the peer takes; None without one, or where ours is too short to tell."""
        return None if self.theirs is None or self.ours == 0 else self.theirs / self.ours


def seconds(work: Callable[[], Any], *, times: int = 5, warm: int = 1) -> float:
    """Median wall time of several calls after a warm-up."""
    for _ in range(warm):
        work()
    taken = []
    for _ in range(times):
        gc.collect()
        start = time.perf_counter()
        work()
        taken.append(time.perf_counter() - start)
    return statistics.median(taken)


def beside(
    ours: Callable[[], Any], theirs: Callable[[], Any], *, times: int = 5
) -> tuple[float, float]:
    """Median wall times of two pieces of work, measured in turn."""
    ours()
    theirs()
    taken: tuple[list[float], list[float]] = ([], [])
    for _ in range(times):
        for number, work in enumerate((ours, theirs)):
            gc.collect()
            start = time.perf_counter()
            work()
            taken[number].append(time.perf_counter() - start)
    return statistics.median(taken[0]), statistics.median(taken[1])


@dataclass
class Process:
    """What a whole process took."""

    wall: float
    cpu: float


def process(*command: str, env: dict[str, str] | None = None) -> Process:
    """Run a command and measure it by the operating system's own account."""
    start = time.perf_counter()
    child = subprocess.Popen(command, stdout=subprocess.DEVNULL, env={**os.environ, **(env or {})})
    _, status, used = os.wait4(child.pid, 0)
    wall = time.perf_counter() - start
    if os.waitstatus_to_exitcode(status) != 0:
        sys.exit(f"failed: {' '.join(command)}")
    return Process(wall, used.ru_utime + used.ru_stime)


def machine() -> dict[str, Any]:
    """Describe the machine, without naming it."""
    return {
        "cores": os.cpu_count(),
        "memory_gb": round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30),
        "system": platform.system(),
        "processor": platform.machine(),
        "python": platform.python_version(),
    }


def report(results: list[Result], path: Path) -> None:
    """Print the results as a table and write them down, keeping those of other benchmarks."""
    known = {}
    if path.is_file():
        known = {row["name"]: row for row in json.loads(path.read_text())["results"]}
    known.update({r.name: {**asdict(r), "ratio": r.ratio} for r in results})
    content = {"machine": machine(), "results": [known[name] for name in sorted(known)]}
    path.write_text(json.dumps(content, indent=1) + "\n")
    for r in results:
        told = f"{r.name:28} {r.ours:10.3f} {r.unit:4}"
        if r.ratio is not None:
            told += f"  {r.peer}: {r.theirs:.3f} {r.unit}  ratio {r.ratio:.1f}"
        if r.limit is not None:
            told += f"  limit {r.limit:g} {'met' if r.ours <= r.limit else 'NOT MET'}"
        if r.same_answer is not None:
            told += f"  same answer: {'yes' if r.same_answer else 'NO'}"
        print(told, flush=True)
        for key, value in r.notes.items():
            print(f"{'':28} {key}: {value}")
