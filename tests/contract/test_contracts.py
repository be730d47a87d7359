"""What holds of the package as a whole: its layers, its types, its style, its weight."""

from __future__ import annotations

import ast
import json
import subprocess
import sys
from pathlib import Path

import pytest

import placeshaping

ROOT = Path(__file__).parents[2]
SOURCES = sorted((ROOT / "placeshaping").rglob("*.py"))

HEAVY = {
    "numpy", "pandas", "geopandas", "shapely", "pyproj", "pyogrio", "pyarrow", "scipy", "numba",
    "libpysal", "esda", "mapclassify", "sklearn", "rasterio", "folium", "branca", "jinja2",
    "pydantic", "openpyxl", "matplotlib",
}  # fmt: skip


def run(*command: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)


def test_layers_import_only_what_lies_before_them() -> None:
    done = run(sys.executable, "-c", "from importlinter.cli import lint_imports_command as c; c()")
    assert done.returncode == 0, done.stdout + done.stderr


def test_package_passes_strict_type_checking() -> None:
    done = run(sys.executable, "-m", "mypy")
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize("arguments", [["check", "."], ["format", "--check", "."]])
def test_code_passes_ruff(arguments: list[str]) -> None:
    done = run(sys.executable, "-m", "ruff", *arguments)
    assert done.returncode == 0, done.stdout


def modules_loaded(statement: str) -> set[str]:
    code = f"import sys, json\n{statement}\nprint(json.dumps(sorted(sys.modules)))"
    done = run(sys.executable, "-c", code)
    assert done.returncode == 0, done.stderr
    return {name.partition(".")[0] for name in json.loads(done.stdout.splitlines()[-1])}


@pytest.mark.parametrize(
    "statement",
    [
        "import placeshaping",
        "from placeshaping.cli import app\n"
        "from typer.testing import CliRunner\n"
        "assert CliRunner().invoke(app, ['--help']).exit_code == 0",
    ],
)
def test_import_and_help_load_nothing_heavy(statement: str) -> None:
    assert not modules_loaded(statement) & HEAVY


@pytest.mark.parametrize("source", SOURCES, ids=lambda path: str(path.relative_to(ROOT)))
def test_no_run_time_assert_or_broad_except(source: Path) -> None:
    for node in ast.walk(ast.parse(source.read_text(encoding="utf-8"))):
        assert not isinstance(node, ast.Assert), f"line {node.lineno}"
        if isinstance(node, ast.ExceptHandler):
            broad = node.type is None or (
                isinstance(node.type, ast.Name) and node.type.id in {"Exception", "BaseException"}
            )
            passed_on = any(isinstance(inner, ast.Raise) for inner in ast.walk(node))
            assert not broad or passed_on, f"line {node.lineno}"


def test_every_public_name_loads_and_is_documented() -> None:
    for name in placeshaping.__all__:
        thing = getattr(placeshaping, name)
        if name != "__version__":
            assert (thing.__doc__ or "").strip(), name


def test_unknown_public_name_is_refused() -> None:
    with pytest.raises(AttributeError, match="no attribute 'no_such_name'"):
        placeshaping.no_such_name  # noqa: B018


def test_every_raises_in_the_tests_says_what_it_expects() -> None:
    for test in (ROOT / "tests").rglob("*.py"):
        for node in ast.walk(ast.parse(test.read_text(encoding="utf-8"))):
            if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)):
                continue
            if node.func.attr == "raises":
                keywords = {keyword.arg for keyword in node.keywords}
                assert "match" in keywords, f"{test.name}, line {node.lineno}"
