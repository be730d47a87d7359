"""Attack files that were written, and say what they give away."""

from __future__ import annotations

import datetime as dt
import re
import shutil
import tempfile
import zipfile
import zlib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

from placeshaping._core.checks import check_file, listed, near_names
from placeshaping._core.errors import DisclosureError
from placeshaping.verify.addresses import machine_paths
from placeshaping.verify.arithmetic import check_rates, people_of
from placeshaping.verify.cells import SCORES, check_cells
from placeshaping.verify.claims import Claims, claims_of
from placeshaping.verify.contents import Contents, Table, UnreadableError
from placeshaping.verify.coordinates import as_table, attack_coordinates, drawn_points
from placeshaping.verify.csvw_file import description_names, read_described_csv, read_plain_json
from placeshaping.verify.disguises import check_disguises
from placeshaping.verify.facts import check_facts
from placeshaping.verify.geopackage_file import read_geopackage, shapes_of_geopackage
from placeshaping.verify.gpx_file import read_gpx
from placeshaping.verify.html_file import read_html
from placeshaping.verify.intervals import check_intervals
from placeshaping.verify.kml_file import read_kml
from placeshaping.verify.labels import check_labels
from placeshaping.verify.ledger import read_ledger
from placeshaping.verify.legends import attack_legends
from placeshaping.verify.parquet_file import read_parquet
from placeshaping.verify.pdf_file import read_pdf
from placeshaping.verify.profiles import check_profile
from placeshaping.verify.public import Public, read_public
from placeshaping.verify.ranks import check_ranks
from placeshaping.verify.rasters import attack_surface, read_raster
from placeshaping.verify.records import check_records
from placeshaping.verify.reviews import check_reviews
from placeshaping.verify.rules import RULES, Rules, judge_by, published_at
from placeshaping.verify.scores import attack_scores
from placeshaping.verify.smoothed import check_smoothed
from placeshaping.verify.subtraction import BUDGET, attack
from placeshaping.verify.terms import check_shares, check_terms
from placeshaping.verify.together import attack_together, check_copies
from placeshaping.verify.transparency_file import check_record, read_odt, read_record, read_words
from placeshaping.verify.verdict import Breach, Verdict
from placeshaping.verify.workbook_file import read_workbook

_READERS: dict[str, Callable[[Path], Contents]] = {
    "html": read_html,
    "geopackage": read_geopackage,
    "xlsx": read_workbook,
    "csv": read_described_csv,
    "json": lambda path: read_record(path) or read_plain_json(path),
    "odt": read_odt,
    "text": read_words,
    "parquet": read_parquet,
    "kml": read_kml,
    "gpx": read_gpx,
    "pdf": read_pdf,
    "geotiff": lambda path: read_raster(path)[0],
}
_SUFFIXES = {
    ".html": "html", ".htm": "html", ".gpkg": "geopackage", ".xlsx": "xlsx", ".csv": "csv",
    ".tsv": "csv", ".json": "json", ".geojson": "json", ".txt": "text", ".md": "text",
    ".zip": "zip", ".tif": "geotiff", ".tiff": "geotiff", ".parquet": "parquet",
    ".geoparquet": "parquet", ".kml": "kml", ".gpx": "gpx", ".yml": "text", ".yaml": "text",
    ".pdf": "pdf",
    ".odt": "odt",
}  # fmt: skip
_CODE = re.compile(r"[EWSNKJ]\d{8}")
_MOST_UNPACKED = 2_000_000_000
_MOST_NESTED = 3
_ODD = (
    UnreadableError, OSError, MemoryError, RecursionError, zlib.error, NotImplementedError,
    ArithmeticError, AttributeError, LookupError, TypeError, ValueError,
)  # fmt: skip
"""What a file may provoke that is built to be misread; such a file does not pass."""


@dataclass(frozen=True)
class Against:
    """
    What files are attacked with.

    Attributes
    ----------
    policy
        Policy named by whoever asks.
    public
        What anybody knows: populations, and which area holds which.
    today
        The date to judge by; None leaves expiry unjudged.
    budget
        Hidden cells that linear programmes are solved for.
    """

    policy: str | None = None
    public: Public = field(default_factory=Public)
    today: dt.date | None = None
    budget: int = BUDGET


@dataclass(frozen=True)
class _Attacked:
    """A verdict, with the counts that the file claims."""

    verdict: Verdict
    claims: tuple[Claims, ...] = ()


def verify_files(
    paths: Iterable[str | Path],
    *,
    policy: str | None = None,
    ledger: str | Path | None = None,
    population: str | Path | None = None,
    today: dt.date | None = None,
    budget: int = BUDGET,
) -> list[Verdict]:
    r"""
    Attack several files, each by itself and all together; of a folder, every file in it.

    Parameters
    ----------
    paths
        Files and folders.
    policy
        As for `verify_file`.
    ledger
        A ledger of what was released before; files are attacked together with
        it.
    population
        A CSV file or workbook of public populations, by area code; further
        columns of codes tell which area lies in which.
    today
        The date to judge by; a file past its `expires` does not pass. None
        leaves that unjudged.
    budget
        Hidden cells for which linear programmes are solved, for each file.

    Returns
    -------
    verdicts
        One for each file, in the order given; files of a folder by name. Where
        several files, or a file and a ledger, say more together, one further
        verdict of the kind ``"together"``.

    Raises
    ------
    MissingFileError
        If there is nothing at a path.
    DisclosureError
        If there is no such policy, and no file declares it.
    LockedFileError, FileFormatError
        If the ledger or the populations cannot be read.

    Examples
    --------
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     _ = (Path(folder) / "a.csv").write_text("area_code,count\nE01000001,3\n")
    ...     [verdict.passed for verdict in verify_files([folder])]
    [False]
    """
    found: list[Path] = []
    for path in map(check_file, paths):
        inside = sorted(p for p in path.rglob("*") if p.is_file()) if path.is_dir() else [path]
        found.extend(inside)
    public = Public() if population is None else read_public(population)
    given = Against(policy, public, today, budget)
    before = [] if ledger is None else read_ledger(ledger)
    attacked = [_verify(path, path.name, given, nested=0) for path in found]
    verdicts = [one.verdict for one in attacked]
    _check_known(policy, verdicts)
    claims = [claim for one in attacked for claim in one.claims]
    return [*verdicts, *_together(claims, before, given)]


def _together(claims: list[Claims], before: list[Claims], given: Against) -> Iterator[Verdict]:
    if not claims or len(claims) + len(before) < 2:
        return
    try:
        words, breaches = attack_together(
            claims, before, public=given.public.parents, budget=given.budget
        )
    except _ODD as error:
        reason = f"{type(error).__name__}: {error}"
        words, breaches = [], [Breach("files", "could not be taken together", reason)]
    if before or breaches:
        name = "all files together" if not before else "with what was released before"
        yield Verdict(name, "together", None, "each by its own", tuple(words), tuple(breaches))


def _check_known(policy: str | None, verdicts: list[Verdict]) -> None:
    """Refuse a policy that neither exists nor is declared by a file."""
    declared = {verdict.declared_policy for verdict in verdicts}
    if policy is not None and policy not in RULES and policy not in declared:
        near = near_names(policy, RULES)
        hint = f" Did you mean {listed(near)}?" if near else ""
        msg = f"There is no policy {policy!r}.{hint} There are: {', '.join(RULES)}."
        raise DisclosureError(msg)


def verify_file(
    path: str | Path,
    *,
    policy: str | None = None,
    population: str | Path | None = None,
    today: dt.date | None = None,
    budget: int = BUDGET,
) -> Verdict:
    r"""
    Attack one file, as its least friendly reader would.

    Parameters
    ----------
    path
        A page, GeoPackage, workbook, CSV, GeoJSON, GeoTIFF, GeoParquet, KML,
        manifest, text, or a ZIP of them.
    policy
        Judge by this policy. Where the file declares a stricter one, that one
        counts. A file that declares nothing is judged as ``"public"``. A
        council's own policy that is looser than its base passes only where it
        is named here.
    population, today, budget
        As for `verify_files`.

    Returns
    -------
    verdict
        What was tried and what was found. A damaged file gets a verdict with
        a breach, not an error.

    Raises
    ------
    MissingFileError
        If there is no such file.
    DisclosureError
        If there is no such policy, and the file does not declare it.

    Examples
    --------
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     file = Path(folder) / "a.csv"
    ...     _ = file.write_text("area_code,count\nE01000001,3\n")
    ...     verify_file(file).breaches[0].what
    '1 count under 10'
    """
    path = check_file(path)
    public = Public() if population is None else read_public(population)
    given = Against(policy, public, today, budget)
    verdict = _verify(path, path.name, given, nested=0).verdict
    _check_known(policy, [verdict])
    return verdict


def _verify(path: Path, name: str, given: Against, *, nested: int) -> _Attacked:
    kind = _kind(path)
    if kind == "zip":
        return _verify_archive(path, name, given, nested=nested)
    if kind not in _READERS:
        return _refused(name, "unknown", "is of a kind that cannot be judged", path.suffix, given)
    try:
        return _judge(_READERS[kind](path), path, name, given)
    except _ODD as error:
        reason = f"{type(error).__name__}: {error}"
        return _refused(name, kind, "could not be read", reason, given)


def _refused(name: str, kind: str, what: str, proof: str, given: Against) -> _Attacked:
    breach = Breach("file", what, proof, attack="reading")
    policy = given.policy if given.policy in RULES else None
    return _Attacked(Verdict(name, kind, None, policy or "public", (), (breach,)))


def _kind(path: Path) -> str:
    with path.open("rb") as stream:
        start = stream.read(16)
    if start.startswith(b"SQLite format 3"):
        return "geopackage"
    by_name = _kind_by_name(path)
    return "zip" if start.startswith(b"PK\3\4") and by_name not in ("xlsx", "odt") else by_name


def _kind_by_name(path: Path) -> str:
    return _SUFFIXES.get(path.suffix.casefold(), "unknown")


def _judge(contents: Contents, path: Path, name: str, given: Against) -> _Attacked:
    declared = (contents.declaration or {}).get("policy")
    rules, found = judge_by(contents.declaration, given.policy)
    found += contents.breaches
    found += check_terms(contents, rules, today=given.today)
    found += check_cells(contents, rules)
    found += check_disguises(contents, rules)
    found += check_labels(contents, rules)
    found += check_records(contents, rules)
    found += check_reviews(contents, rules)
    found += check_profile(contents, rules)
    found += check_facts(contents, rules)
    found += check_shares(contents, rules)
    found += check_record(contents, rules)
    found += attack_legends(contents, rules)
    found += _shapes(contents, path, rules, given.public)
    found += _paths(contents)
    claims = claims_of(contents, rules, source=name) if rules.threshold else None
    checks = [
        "outside addresses and machine paths",
        f"fields of {len(contents.tables):,} tables",
        *_arithmetic(contents, rules, found, claims, given),
    ]
    verdict = Verdict(
        file=name,
        kind=contents.kind,
        declared_policy=None if declared is None else str(declared),
        judged_policy=rules.policy,
        checks=tuple(checks),
        breaches=tuple(found),
        links=tuple(dict.fromkeys(contents.links)),
        note=_note(contents, rules),
    )
    return _Attacked(verdict, () if claims is None else (claims,))


def _shapes(contents: Contents, path: Path, rules: Rules, public: Public) -> Iterator[Breach]:
    """Attack what is drawn: surfaces, points, and scores with the shapes beside them."""
    if contents.kind == "geotiff":
        for number, surface in enumerate(read_raster(path)[1], start=1):
            yield from attack_surface(surface, contents.declaration, rules, where=f"band {number}")
    points = [table for table in contents.tables if not table.written_for_readers]
    drawn = drawn_points(path, contents.kind, leave=contents.public_layers)
    points += [Table(where, as_table(xy)) for where, xy in drawn.items()]
    for table in points:
        yield from attack_coordinates(
            table, contents.declaration, addresses=public.addresses, rules=rules
        )
    scored = [table for table in contents.tables if SCORES & set(table.frame.columns)]
    if scored and rules.protects and contents.kind == "geopackage":
        shapes = shapes_of_geopackage(path)
        for table in scored:
            yield from attack_scores(table, shapes, contents.declaration, rules=rules)


def _note(contents: Contents, rules: Rules) -> str | None:
    """Say so where counts were not checked."""
    if rules.protects:
        return None
    address = published_at(contents.declaration)
    if rules.address_needed and address:
        return f"counts not checked: declared {rules.policy} at {address}"
    return f"counts not checked: judged as {rules.policy}"


def _arithmetic(
    contents: Contents,
    rules: Rules,
    found: list[Breach],
    claims: Claims | None,
    given: Against,
) -> list[str]:
    """Try to work hidden counts out; add what comes back to `found`, and say what was tried."""
    if not rules.protects:
        return [_note(contents, rules) or ""]
    words = [f"counts under {rules.threshold}, and counts not rounded to {rules.rounding}"]
    people = people_of(contents, given.public.people if len(given.public.people) else None)
    for name, (tried, breaches) in (
        ("rates", check_rates(contents, rules, known=given.public.people)),
        ("intervals", check_intervals(contents, rules)),
        ("smoothed rates", check_smoothed(contents, people)),
    ):
        found += breaches
        words.append(f"{tried:,} {name} turned back into counts")
    found += check_ranks(contents, rules, people)
    if claims is not None:
        found += check_copies([claims])
        more, breaches = attack([claims], public=given.public.parents, budget=given.budget)
        found += breaches
        words += more
    return words


def _paths(contents: Contents) -> list[Breach]:
    breaches = []
    for where, text in contents.texts.items():
        paths = list(dict.fromkeys(machine_paths(text)))
        if paths:
            breaches.append(Breach(where, "tells a path of the machine", listed(paths, most=3)))
    return breaches


def _verify_archive(path: Path, name: str, given: Against, *, nested: int) -> _Attacked:
    """Attack every file of an archive; its verdict is theirs together."""
    if nested >= _MOST_NESTED:
        reason = "archives within archives within archives"
        return _refused(name, "zip", "could not be read", reason, given)
    try:
        with zipfile.ZipFile(path) as archive, tempfile.TemporaryDirectory() as folder:
            attacked = _members(archive, Path(folder), given, nested)
            breaches = list(_about_archive(archive))
    except (zipfile.BadZipFile, *_ODD, RuntimeError) as error:
        reason = f"{type(error).__name__}: {error}"
        return _refused(name, "zip", "could not be read", reason, given)
    claims = tuple(claim for one in attacked for claim in one.claims)
    verdicts = [one.verdict for one in attacked]
    if nested == 0:
        verdicts += _together(list(claims), [], given)
    breaches += [
        replace(breach, where=f"{verdict.file}: {breach.where}")
        for verdict in verdicts
        for breach in verdict.breaches
    ]
    declared = {v.declared_policy for v in verdicts} - {None}
    judged = {v.judged_policy for v in verdicts}
    verdict = Verdict(
        file=name,
        kind="zip",
        declared_policy=declared.pop() if len(declared) == 1 else None,
        judged_policy=judged.pop() if len(judged) == 1 else "each by its own",
        checks=tuple(f"{v.file}: {check}" for v in verdicts for check in v.checks),
        breaches=tuple(breaches),
        links=tuple(dict.fromkeys(link for v in verdicts for link in v.links)),
        note="; ".join(f"{v.file}: {v.note}" for v in verdicts if v.note) or None,
    )
    return _Attacked(verdict, claims)


def _about_archive(archive: zipfile.ZipFile) -> Iterator[Breach]:
    """Look at what an archive says beside its files."""
    if not any(not member.is_dir() for member in archive.infolist()):
        yield Breach("file", "is an archive that holds nothing")
    comments = [archive.comment, *(member.comment for member in archive.infolist())]
    for comment in filter(None, comments):
        yield Breach("file", "holds a comment", comment.decode("utf-8", errors="replace")[:80])
    for member in archive.infolist():
        if _CODE.search(member.filename):
            yield Breach("file", "names an area in the name of a file", member.filename[:80])


def _members(
    archive: zipfile.ZipFile, folder: Path, given: Against, nested: int
) -> list[_Attacked]:
    members = [member for member in archive.infolist() if not member.is_dir()]
    size = sum(member.file_size for member in members)
    if size > _MOST_UNPACKED:
        msg = f"{size:,} bytes when unpacked"
        raise UnreadableError(msg)
    attacked = []
    named = {member.filename: member for member in members}
    for number, member in enumerate(members):
        file = folder / str(number) / (Path(member.filename).name or "unnamed")
        file.parent.mkdir()
        beside = description_names(member.filename) if _kind_by_name(file) == "csv" else ()
        for name in (name for name in beside if name in named):
            (file.parent / Path(name).name).write_bytes(archive.read(named[name]))
        file.write_bytes(archive.read(member))
        attacked.append(_verify(file, member.filename, given, nested=nested + 1))
        shutil.rmtree(file.parent)
    return attacked
