"""The folder of a backtest: what each origin gave, written as it comes, taken up again."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import pandas as pd

from placeshaping._core.errors import FileFormatError, InputError
from placeshaping._core.output import staged_file

_CONFIGURATION = "backtest.json"
_TABLES = ("flags", "parameters", "scores")  # scores last: with them an origin is complete

Tables = tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]


@dataclass(frozen=True)
class BacktestFolder:
    """
    Results of a backtest's origins, in Parquet files of one configuration.

    Attributes
    ----------
    path
        The folder; made where there is none.
    digests
        Of the data, the models, the plan, and the package's version.
    """

    path: str | Path
    digests: Mapping[str, str] = field(repr=False)

    def __post_init__(self) -> None:
        """Refuse a folder of another configuration; claim a new one."""
        folder = Path(self.path)
        folder.mkdir(parents=True, exist_ok=True)
        file = folder / _CONFIGURATION
        if not file.is_file():
            with staged_file(file) as staged:
                staged.write_text(json.dumps(dict(self.digests), indent=1) + "\n", encoding="utf-8")
            return
        held = _read_json(file)
        unlike = [name for name, value in self.digests.items() if held.get(name) != value]
        if unlike:
            msg = (
                f"The folder {folder.name} holds a backtest of another configuration (changed: "
                f"{', '.join(unlike)}). Name another folder, or delete that one to begin anew."
            )
            raise InputError(msg)

    def holds(self, period: pd.Timestamp) -> bool:
        """Tell whether an origin is complete."""
        return self._file(period, "scores").is_file()

    def read(self, period: pd.Timestamp) -> Tables:
        """Return the scores, flags and parameters of an origin."""
        flags, parameters, scores = (
            pd.read_parquet(self._file(period, table)) for table in _TABLES
        )
        return scores, flags, parameters

    def write(self, period: pd.Timestamp, tables: Tables) -> None:
        """Keep the scores, flags and parameters of an origin."""
        scores, flags, parameters = tables
        for name, table in zip(_TABLES, (flags, parameters, scores), strict=True):
            with staged_file(self._file(period, name)) as staged:
                table.to_parquet(staged, index=False)

    def _file(self, period: pd.Timestamp, table: str) -> Path:
        return Path(self.path) / f"{period:%Y-%m-%dT%H%M}.{table}.parquet"


def _read_json(file: Path) -> dict[str, str]:
    try:
        held = json.loads(file.read_text(encoding="utf-8"))
    except ValueError as error:
        msg = f"{file.name} is damaged. Delete its folder {file.parent.name} to begin anew."
        raise FileFormatError(msg) from error
    return {str(name): str(value) for name, value in held.items()}
