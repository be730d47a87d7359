"""Notebooks that read real data run from top to bottom."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import nbformat
import pytest

pytestmark = pytest.mark.real

FOLDER = Path(__file__).parents[2] / "notebooks"
NOTEBOOKS = [
    path
    for path in sorted(FOLDER.glob("*.ipynb"))
    if nbformat.read(path, as_version=4).metadata.get("placeshaping", {}).get("needs_data")
]


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::RuntimeWarning")
def test_notebook_of_real_data_ends_with_a_file_that_withstands(
    path: Path,
    real_data: Path,
    monkeypatch: pytest.MonkeyPatch,
    run_notebook: Callable[[Path], Any],
) -> None:
    monkeypatch.setenv("PLACESHAPING_DATA", str(real_data.resolve()))
    cells = [cell for cell in run_notebook(path).cells if cell.cell_type == "code"]
    assert "True" in cells[-1].outputs[0]["data"]["text/plain"]
    assert "1,010 vehicle crimes in Colchester" in cells[-3].outputs[0]["text"]
