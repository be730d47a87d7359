"""Rounded counts whose base is small beside the threshold: narrowed by several sums together."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

from placeshaping.disclosure.cells import Cells, find_sums, make_cells
from placeshaping.disclosure.suppression import protect_cells
from placeshaping.verify.claims import claims_of
from placeshaping.verify.plain_files import read_csv
from placeshaping.verify.rules import Rules
from placeshaping.verify.subtraction import attack

SHAPES = {"lsoa": (3, 5, 12), "msoa": (3, 5, 3)}
RULES = Rules("own", 6, 3, zeros_shown=True, numbers=False, lsoa_or_coarser=True)
PERIODS = ["2024 to 2025", "2024", "2025"]


def made(seed: int) -> Cells:
    parts = np.random.default_rng(seed).negative_binomial(1, 0.12, (2, 4, 12))
    fine = np.concatenate([parts.sum(axis=1, keepdims=True), parts], axis=1)
    fine = np.concatenate([fine.sum(axis=0, keepdims=True), fine], axis=0)
    inside = np.arange(12) // 4
    middle = np.stack([fine[..., inside == one].sum(axis=-1) for one in range(3)], axis=-1)
    sums = find_sums(
        SHAPES, periods_add_up=True, categories_add_up=True, parents=[("lsoa", "msoa", inside)]
    )
    counts = np.concatenate([fine.ravel(), middle.ravel()])
    return make_cells(counts, sums, threshold=6, rounding=3)


def breaches(cells: Cells, hidden: np.ndarray, folder: Path) -> int:
    """Write what is left to be shown, and count what the attacker finds in it."""
    rows = []
    names = [("E01", level, *at) for level in SHAPES for at in np.ndindex(SHAPES[level])]
    for (_, level, p, c, a), count, away in zip(names, cells.counts, hidden, strict=True):
        rows.append(
            {
                "area_code": f"E01{900_001 + a}" if level == "lsoa" else f"E02{900_001 + a}",
                "parent_code": f"E02{900_001 + a // 4}" if level == "lsoa" else None,
                "period": PERIODS[p],
                "category": "All" if c == 0 else f"Kind {c}",
                "status": "hidden" if away else "shown",
                "count": None if away else int(3 * np.rint(count / 3)),
            }
        )
    path = folder / "table.csv"
    pd.DataFrame(rows).astype({"count": "Int64"}).to_csv(path, index=False)
    claims = claims_of(read_csv(path), RULES, source="table.csv")
    assert claims is not None
    return len(attack([claims], budget=1000)[1])


def test_what_several_sums_narrow_is_found(tmp_path: Path) -> None:
    # No one sum leaves theft in 2025 less than 1 to 5: 13 - 8 = 5. But all thefts are at most
    # 43 - 32 = 11, by all records less burglary, so it is at most 11 - 8 = 3.
    shown = {"All": (42, 21, None), "Burglary": (33, 12, None), "Theft": (12, 9, None)}
    rows = [
        {
            "area_code": "E01900001",
            "period": period,
            "category": category,
            "status": "hidden" if count is None else "shown",
            "count": count,
        }
        for category, counts in shown.items()
        for period, count in zip(PERIODS, counts, strict=True)
    ]
    path = tmp_path / "table.csv"
    pd.DataFrame(rows).astype({"count": "Int64"}).to_csv(path, index=False)
    claims = claims_of(read_csv(path), RULES, source="table.csv")
    assert claims is not None
    found = attack([claims])[1]
    assert [breach.attack for breach in found] == ["subtraction"]
    assert found[0].cells[0].cell == "E01900001 Theft 2025"
    assert ("E01900001", "All", (24288, 24311)) in found[0].cells[0].rests_on


def test_what_programmes_protected_withstands(tmp_path: Path) -> None:
    for seed in range(3):
        cells = made(seed)
        assert breaches(cells, protect_cells(cells, method="round").hidden, tmp_path) == 0
