"""Checks, codes, safe writing and progress."""

from __future__ import annotations

import errno
import os
import shutil
import signal
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
from shapely import box

from placeshaping._core import checks, codes, columns, crs, optional, output, progress, provenance
from placeshaping._core.errors import (
    ColumnError,
    CRSError,
    DuplicateError,
    InputError,
    LockedFileError,
    MissingExtraError,
    MissingFileError,
    OutputError,
)


def test_missing_file_names_the_nearest(tmp_path: Path) -> None:
    (tmp_path / "crime.zip").touch()
    with pytest.raises(MissingFileError, match=r"crimes\.zip: no such file.*crime\.zip"):
        checks.check_file(tmp_path / "crimes.zip")


def test_missing_folder_is_told(tmp_path: Path) -> None:
    with pytest.raises(MissingFileError, match="nor its folder"):
        checks.check_file(tmp_path / "nowhere" / "crime.zip")


def test_missing_column_without_a_near_name_lists_what_there_is() -> None:
    with pytest.raises(ColumnError, match=r"It has: a, b"):
        checks.check_columns(["a", "b"], ["longitude"], where="x.csv")


def test_repeated_codes_are_counted_and_named() -> None:
    with pytest.raises(DuplicateError, match=r"1 area codes stand more than once \(E01000001\)"):
        checks.check_unique(pd.Index(["E01000001"] * 3), where="areas")


def test_an_option_that_is_no_choice_is_refused() -> None:
    checks.check_choice("drop", ["raise", "drop"], name="outside")
    with pytest.raises(InputError, match=r"outside is 'keep'\. Give 'raise' or 'drop'"):
        checks.check_choice("keep", ["raise", "drop"], name="outside")


@pytest.mark.parametrize(
    ("code", "level", "new", "invented"),
    [
        ("E01033768", "lsoa", False, False),
        ("E01033769", "lsoa", True, False),
        ("W01001958", "lsoa", False, False),
        ("W01001959", "lsoa", True, False),
        ("E01900001", "lsoa", False, True),
        ("E01950000", "lsoa", True, True),
        ("E00500001", "oa", False, True),
        ("E00190000", "oa", False, False),
        ("E02000001", "msoa", False, False),
        ("E06000001", "district", False, False),
        ("beat 12", "area", False, False),
    ],
)
def test_code_tells_level_and_vintage(code: str, level: str, new: bool, invented: bool) -> None:
    assert codes.level_of(code) == level
    assert codes.made_for_2021(code) is new
    assert codes.is_synthetic(code) is invented


def test_unknown_tag_is_refused() -> None:
    with pytest.raises(ColumnError, match="use one of: open, personal"):
        columns.tag_columns(pd.DataFrame(), {"x": "secret"})  # type: ignore[dict-item]


def test_grid_and_degrees_are_inverse() -> None:
    easting, northing = np.array([458_700.0, np.nan]), np.array([304_400.0, 1.0])
    back = crs.to_grid(*crs.to_degrees(easting, northing))
    assert back[0][0] == pytest.approx(easting[0], abs=0.01)
    assert back[1][0] == pytest.approx(northing[0], abs=0.01)
    assert np.isnan(back[0][1])


@pytest.mark.parametrize(
    ("bounds", "stated", "told"),
    [
        ((458_000, 304_000, 459_000, 305_000), 4326, "those are metres.*crs=.EPSG:27700"),
        ((-1.2, 52.5, -1.1, 52.6), 27700, "those are degrees.*crs=.EPSG:4326"),
        ((-1.2, 52.5, -1.1, 52.6), None, "states no coordinate reference system.*EPSG:4326"),
        ((4e5, 3e5, 5e5, 4e5), None, "states no coordinate reference system.*EPSG:27700"),
    ],
)
def test_mislabelled_reference_system_is_refused(
    bounds: tuple[float, ...], stated: int | None, told: str
) -> None:
    areas = gpd.GeoDataFrame(geometry=[box(*bounds)], crs=stated)
    with pytest.raises(CRSError, match=told):
        crs.areas_to_grid(areas, where="areas.geojson")


def test_missing_package_is_told_with_its_extra() -> None:
    with pytest.raises(MissingExtraError, match=r"pip install 'placeshaping\[cluster\]'"):
        optional.require("no_such_package", extra="cluster")


def write_half_then(error: BaseException, target: Path) -> None:
    with output.staged_file(target) as path:
        path.write_text("half")
        raise error


def test_failure_leaves_the_old_file(tmp_path: Path) -> None:
    target = tmp_path / "map.html"
    target.write_text("old")
    with pytest.raises(RuntimeError, match="stop"):
        write_half_then(RuntimeError("stop"), target)
    assert target.read_text() == "old"
    assert [p.name for p in tmp_path.iterdir()] == ["map.html"]


def test_interruption_leaves_nothing_half_written(tmp_path: Path) -> None:
    with pytest.raises(KeyboardInterrupt, match="stopped"):
        write_half_then(KeyboardInterrupt("stopped"), tmp_path / "map.html")
    assert list(tmp_path.iterdir()) == []


def test_folder_keeps_other_files_and_replaces_its_own(tmp_path: Path) -> None:
    target = tmp_path / "products"
    target.mkdir()
    (target / "notes.txt").write_text("mine")
    (target / "map.html").write_text("old")
    with output.staged_folder(target) as folder:
        (folder / "map.html").write_text("new")
        (folder / "tables.xlsx").write_text("new")
    assert {p.name: p.read_text() for p in target.iterdir()} == {
        "notes.txt": "mine",
        "map.html": "new",
        "tables.xlsx": "new",
    }
    assert [p.name for p in tmp_path.iterdir()] == ["products"]


@contextmanager
def unprivileged() -> Iterator[None]:
    """Give up root's rights for a while, since root may write anywhere."""
    if os.geteuid() != 0:
        yield
        return
    os.seteuid(65534)
    try:
        yield
    finally:
        os.seteuid(0)


@pytest.fixture(autouse=True)
def heeding_interrupts() -> Iterator[None]:
    """Heed Ctrl-C, which a shell lets its background jobs ignore."""
    former = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, former)


@pytest.fixture
def shared_folder() -> Iterator[Path]:
    """Return a folder that an unprivileged user may write into."""
    folder = Path(tempfile.mkdtemp())
    folder.chmod(0o777)
    yield folder
    shutil.rmtree(folder)


def write_products(target: Path) -> None:
    with output.staged_folder(target) as folder:
        (folder / "a.html").write_text("new")
        (folder / "b.gpkg").write_text("new")
        (folder / "z.xlsx").write_text("new")


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() != 0, reason="needs two users")
def test_file_held_by_another_restores_the_others(shared_folder: Path) -> None:
    """A file that the user may not rename stands for one that is open in another program."""
    target = shared_folder / "products"
    target.mkdir()
    (target / "z.xlsx").write_text("theirs")
    target.chmod(0o1777)  # sticky: others' files can be neither renamed nor replaced
    with unprivileged():
        (target / "a.html").write_text("old")
        with pytest.raises(OutputError, match=r"open in another program|not permitted"):
            write_products(target)
    assert {p.name: p.read_text() for p in target.iterdir()} == {
        "a.html": "old",
        "z.xlsx": "theirs",
    }
    assert [p.name for p in shared_folder.iterdir()] == ["products"]


class Renames:
    """Watch this process's renames, numbered from 1, and let a test stop one of them."""

    def __init__(self) -> None:
        self.stop: Callable[[int, str], None] | None = None
        self.number = 0
        sys.addaudithook(self._seen)  # cannot be taken away again, so it sleeps without `stop`

    def _seen(self, event: str, details: tuple[object, ...]) -> None:
        if self.stop is not None and event == "os.rename":
            self.number += 1
            self.stop(self.number, str(details[0]))

    @contextmanager
    def stopped_by(self, stop: Callable[[int, str], None]) -> Iterator[None]:
        self.stop, self.number = stop, 0
        try:
            yield
        finally:
            self.stop = None


@pytest.fixture(scope="module")
def renames() -> Renames:
    return Renames()


OLD = {"a.html": "old", "loose.gpkg": "old", "notes.txt": "mine", "z.xlsx": "old"}


@pytest.fixture
def products(tmp_path: Path) -> Path:
    """Return a folder of old products, one of which the new ones do not write."""
    target = tmp_path / "products"
    target.mkdir()
    for name, text in OLD.items():
        (target / name).write_text(text)
    return target


def read_all(folder: Path) -> dict[str, str]:
    return {p.name: p.read_text() for p in sorted(folder.iterdir())}


def replace_products(target: Path) -> None:
    with output.staged_folder(target, remove=["loose.gpkg", "absent.gpkg", ".."]) as folder:
        for name in ("a.html", "b.gpkg", "z.xlsx"):
            (folder / name).write_text("new")


def test_replaced_names_leave_with_the_old_files(products: Path) -> None:
    replace_products(products)
    assert read_all(products) == {
        "a.html": "new",
        "b.gpkg": "new",
        "notes.txt": "mine",
        "z.xlsx": "new",
    }
    assert [p.name for p in products.parent.iterdir()] == ["products"]


@pytest.mark.parametrize("moment", range(1, 7))
def test_ctrl_c_in_the_middle_of_the_swap_restores_every_file(
    products: Path, renames: Renames, moment: int
) -> None:
    def press(number: int, _: str) -> None:
        if number == moment:
            signal.raise_signal(signal.SIGINT)

    with renames.stopped_by(press), pytest.raises(KeyboardInterrupt, match=r"^$"):
        replace_products(products)
    assert read_all(products) == OLD
    assert [p.name for p in products.parent.iterdir()] == ["products"]


@pytest.mark.parametrize("moment", range(1, 7))
def test_refusal_in_the_middle_of_the_swap_restores_every_file(
    products: Path, renames: Renames, moment: int
) -> None:
    def refuse(number: int, _: str) -> None:
        if number == moment:
            raise PermissionError(errno.EACCES, "held")

    with (
        renames.stopped_by(refuse),
        pytest.raises(OutputError, match=r"open in another program.*Nothing was changed"),
    ):
        replace_products(products)
    assert read_all(products) == OLD
    assert [p.name for p in products.parent.iterdir()] == ["products"]


def test_stopped_first_writing_leaves_no_folder(tmp_path: Path, renames: Renames) -> None:
    def press(number: int, _: str) -> None:
        if number == 2:
            signal.raise_signal(signal.SIGINT)

    with renames.stopped_by(press), pytest.raises(KeyboardInterrupt, match=r"^$"):
        write_products(tmp_path / "products")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("error", [PermissionError(errno.EACCES, "held"), KeyboardInterrupt()])
def test_old_files_that_cannot_be_put_back_are_kept_and_named(
    products: Path, renames: Renames, error: BaseException
) -> None:
    def refuse(number: int, source: str) -> None:
        if number == 6 or (number > 6 and source.endswith("z.xlsx")):
            raise error

    with renames.stopped_by(refuse), pytest.raises(OutputError, match="could not be") as told:
        replace_products(products)
    kept = next(p for p in products.parent.iterdir() if p != products)
    assert f"the old files are in the folder {kept.name}, beside products" in str(told.value)
    assert "1 could not be put back (z.xlsx)" in str(told.value)
    assert "Nothing was changed" not in str(told.value)
    assert read_all(kept) == {"z.xlsx": "old"}
    assert read_all(products) == {name: OLD[name] for name in ("a.html", "loose.gpkg", "notes.txt")}


def test_new_files_that_cannot_be_taken_back_are_named(products: Path, renames: Renames) -> None:
    def refuse(number: int, source: str) -> None:
        if number == 6 or (number > 6 and source.endswith("products/b.gpkg")):
            raise PermissionError(errno.EACCES, "held")

    with (
        renames.stopped_by(refuse),
        pytest.raises(OutputError, match=r"New files stay in it: b\.gpkg\.$"),
    ):
        replace_products(products)
    assert read_all(products) == {**OLD, "b.gpkg": "new"}
    assert [p.name for p in products.parent.iterdir()] == ["products"]


@pytest.mark.skipif(os.name != "posix", reason="needs a umask")
def test_written_files_may_be_read_by_others(tmp_path: Path) -> None:
    before = os.umask(0o022)
    try:
        with output.staged_folder(tmp_path / "products") as folder:
            (folder / "map.html").write_text("new")
            assert folder.stat().st_mode & 0o777 == 0o755
        with output.staged_file(tmp_path / "recipe.toml") as path:
            path.write_text("new")
    finally:
        os.umask(before)
    assert (tmp_path / "products").stat().st_mode & 0o777 == 0o755
    assert (tmp_path / "products" / "map.html").stat().st_mode & 0o777 == 0o644
    assert (tmp_path / "recipe.toml").stat().st_mode & 0o777 == 0o644


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() != 0, reason="needs two users")
def test_file_that_cannot_be_opened_is_told_by_its_base_name(shared_folder: Path) -> None:
    locked = shared_folder / "crime.zip"
    locked.write_text("x")
    locked.chmod(0o600)
    with (
        unprivileged(),
        pytest.raises(LockedFileError, match=r"^crime\.zip cannot be opened \(Per"),
    ):
        checks.check_file(locked)
    inner = shared_folder / "private"
    inner.mkdir()
    inner.chmod(0o700)
    with unprivileged(), pytest.raises(LockedFileError, match=r"^a\.csv cannot be opened"):
        checks.check_file(inner / "a.csv")


def test_read_only_folder_is_told_and_left_alone(shared_folder: Path) -> None:
    shared_folder.chmod(0o555)
    with unprivileged(), pytest.raises(OutputError, match="not permitted"):
        write_products(shared_folder / "products")
    assert list(shared_folder.iterdir()) == []
    shared_folder.chmod(0o777)


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
def test_full_disk_is_told(tmp_path: Path) -> None:
    def write() -> None:
        with output.staged_file(tmp_path / "map.html"), open("/dev/full", "w") as full:
            full.write("x" * 100_000)

    with pytest.raises(OutputError, match="disk is full"):
        write()
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("number", "told"),
    [
        (errno.ENOSPC, "disk is full"),
        (errno.EROFS, "read-only"),
        (errno.EACCES, "open in another program"),
        (errno.EIO, "Input/output error"),
    ],
)
def test_refusals_of_the_system_name_the_remedy(tmp_path: Path, number: int, told: str) -> None:
    with pytest.raises(OutputError, match=told), output.staged_file(tmp_path / "x"):
        raise OSError(number, "Input/output error")


def test_output_under_a_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with (
        pytest.raises(OutputError, match=r"part of that path is a file|file of that name"),
        output.staged_folder(tmp_path / "file" / "products"),
    ):
        pass


def test_checksum_of_a_folder_depends_on_names_and_content(tmp_path: Path) -> None:
    (tmp_path / "a").write_text("1")
    first = provenance.sha256(tmp_path)
    (tmp_path / "a").rename(tmp_path / "b")
    assert provenance.sha256(tmp_path) != first


@pytest.mark.parametrize("suffix", [".shp", ".dbf", ".shx", ".prj", ".cpg"])
def test_checksum_of_a_shapefile_covers_each_of_its_files(tmp_path: Path, suffix: str) -> None:
    for part in (".shp", ".dbf", ".shx", ".prj", ".cpg"):
        (tmp_path / f"areas{part}").write_text(part)
    (tmp_path / "other.dbf").write_text("1")
    first = provenance.sha256(tmp_path / "areas.shp")
    (tmp_path / "other.dbf").write_text("2")
    assert provenance.sha256(tmp_path / "areas.shp") == first
    (tmp_path / f"areas{suffix}").write_text("changed")
    assert provenance.sha256(tmp_path / "areas.shp") != first


def test_checksum_of_a_shapefile_does_not_depend_on_its_name(tmp_path: Path) -> None:
    for stem in ("a", "B"):
        (tmp_path / f"{stem}.shp").write_text("1")
        (tmp_path / f"{stem}.dbf").write_text("2")
    (tmp_path / "B.dbf").rename(tmp_path / "B.DBF")
    assert provenance.sha256(tmp_path / "a.shp") == provenance.sha256(tmp_path / "B.shp")


def test_source_keeps_the_base_name_only(tmp_path: Path) -> None:
    file = tmp_path / "crime.csv"
    file.write_text("x")
    assert provenance.describe_file(file, "records").name == "crime.csv"


def test_no_bar_is_drawn_without_a_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    assert list(progress.track(range(3), label="Counting")) == [0, 1, 2]
    assert capsys.readouterr().err == ""


def test_folders_that_a_killed_process_left_are_deleted_after_a_day(tmp_path: Path) -> None:
    names = [".products-0123abcd", ".products-89abcdef", ".products-notes", ".other-0123abcd"]
    for name in names:
        (tmp_path / name).mkdir()
        (tmp_path / name / "map.html").write_text("left")
    for name in [names[0], *names[2:]]:
        os.utime(tmp_path / name, (0, 0))
    with output.staged_folder(tmp_path / "products") as folder:
        (folder / "map.html").write_text("new")
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted([*names[1:], "products"])
