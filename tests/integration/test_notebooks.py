"""Every notebook runs from top to bottom, and none carries output."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import nbformat
import pytest

FOLDER = Path(__file__).parents[2] / "notebooks"
NOTEBOOKS = [
    path
    for path in sorted(FOLDER.glob("*.ipynb"))
    if not nbformat.read(path, as_version=4).metadata.get("placeshaping")
]


def test_there_are_notebooks() -> None:
    assert NOTEBOOKS


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::RuntimeWarning")
def test_notebook_runs_and_carries_no_output(
    path: Path, run_notebook: Callable[[Path], Any]
) -> None:
    last = run_notebook(path).cells[-1].outputs[0]["data"]["text/plain"]
    assert "True" in last
    assert "False" not in last
