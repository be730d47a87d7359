"""What the attacker has to say about a file."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

CellKey = tuple[str, str, tuple[int, int] | str]
"""Area, category and period of a published cell: first and last month since year 0, or a label."""


@dataclass(frozen=True)
class Finding:
    """One cell that comes back, the equation that brings it back, and the cells that it is of."""

    cell: str
    proof: str
    rests_on: tuple[CellKey, ...] = ()


@dataclass(frozen=True)
class Breach:
    """
    One thing that a file gives away, or must not hold.

    Attributes
    ----------
    where
        Sheet, table, layer or element of the file.
    what
        What is wrong, in words.
    proof
        The numbers that show it: names, values, the equation.
    attack
        Which attack found it, in a word.
    cells
        The cells that come back, as far as they were listed.
    """

    where: str
    what: str
    proof: str = ""
    attack: str = ""
    cells: tuple[Finding, ...] = ()


@dataclass(frozen=True)
class Verdict:
    """
    What was looked for in a file, and what was found.

    Attributes
    ----------
    file
        Base name.
    kind
        ``"html"``, ``"geopackage"``, ``"xlsx"``, ``"csv"``, ``"geojson"``,
        ``"json"``, ``"zip"``, ``"text"``, ``"transparency record"``,
        ``"atrs"``, ``"odt"`` or ``"unknown"``.
    declared_policy
        Policy that the file says it obeys; None where it says nothing.
    judged_policy
        Policy that it was judged by.
    checks
        What was looked for, in words, with what was counted.
    breaches
        What was found.
    links
        Outside addresses that a reader may follow by clicking.
    note
        What a reader of the verdict must know: that counts were not checked,
        for the file declares that they are published already, or may not
        leave the desk. None where they were.

    Examples
    --------
    >>> Verdict("a.csv", "csv", None, "public", ("small counts",), ()).passed
    True
    """

    file: str
    kind: str
    declared_policy: str | None
    judged_policy: str
    checks: tuple[str, ...]
    breaches: tuple[Breach, ...]
    links: tuple[str, ...] = ()
    note: str | None = None

    @property
    def passed(self) -> bool:
        """Whether nothing was found."""
        return not self.breaches

    def to_dict(self) -> dict[str, Any]:
        """
        Return the verdict as plain values, for JSON.

        Examples
        --------
        >>> Verdict("a.csv", "csv", None, "public", (), ()).to_dict()["passed"]
        True
        """
        return {"passed": self.passed, **asdict(self)}

    def rows(self) -> list[dict[str, str]]:
        """
        Return one row a breach, and where cells come back one row a cell.

        Returns
        -------
        rows
            With `file`, `attack`, `where`, `cell`, `what` and `proof`.

        Examples
        --------
        >>> breach = Breach("t", "1 count under 10", "E01000001: count 3", "small counts")
        >>> rows = Verdict("a.csv", "csv", None, "public", (), (breach,)).rows()
        >>> rows[0]["attack"], rows[0]["cell"], rows[0]["proof"]
        ('small counts', '', 'E01000001: count 3')
        """
        return [
            {
                "file": self.file,
                "attack": breach.attack,
                "where": breach.where,
                "cell": finding.cell,
                "what": breach.what,
                "proof": finding.proof,
            }
            for breach in self.breaches
            for finding in breach.cells or (Finding("", breach.proof),)
        ]


def number_of(amount: int, name: str, *, names: str | None = None) -> str:
    """
    Write a number with the name of what is counted.

    Examples
    --------
    >>> number_of(1, "rate"), number_of(2000, "rate"), number_of(2, "does", names="do")
    ('1 rate', '2,000 rates', '2 do')
    """
    return f"{amount:,} {name if amount == 1 else names or name + 's'}"
