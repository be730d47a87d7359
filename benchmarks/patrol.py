"""A patrol request from a fitted model: from the forecast to products that were attacked."""

from __future__ import annotations

import datetime as dt
import tempfile
from pathlib import Path

from benchmarks.harness import Result, seconds
from placeshaping._core.progress import quiet
from placeshaping.project.patrol import answer
from placeshaping.project.patrol_forecast import fit_place
from placeshaping.project.patrol_place import read_place
from placeshaping.project.patrol_request import make_request

LIMIT = 5.0
"""Seconds that an answer may take, as the issue has it."""


def run(data: Path) -> list[Result]:
    """Answer a request on Leicester's monthly records, in cells of 250 m."""
    request = make_request(
        {
            "purpose": "To measure.",
            "decides": "Nobody",
            "shift": {"date": dt.date(2026, 1, 10), "start": "18:00", "end": "02:00"},
            "offences": {"names": ["Burglary"]},
            "cover": {"share": 0.02, "patrols": 4},
            "records": {"file": "police_uk/leicestershire.zip"},
            "areas": {"file": "boundaries/leicester_lsoa_2021_shp"},
        }
    )
    place = read_place(request, folder=data)
    fitted = fit_place(request, place, folder=data)
    with tempfile.TemporaryDirectory() as folder, quiet(on=True):
        target = Path(folder) / "answer"
        made_on = dt.date(2026, 1, 9)

        def work() -> None:
            answer(request, fitted, folder=Path(folder), target=target, made_on=made_on)

        taken = seconds(work, times=3)
        files = len(list(target.iterdir()))
    return [
        Result(
            "patrol request",
            f"{len(place.units):,} cells of 250 m, {files} products written and attacked",
            taken,
            limit=LIMIT,
            notes={"events": fitted.fitted.history.n},
        )
    ]
