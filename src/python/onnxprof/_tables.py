"""Tables: rows with typed values, and the data frames that pandas or polars make of them."""

from __future__ import annotations

import csv
import importlib
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, Optional, Union

from ._errors import DataFrameLibraryNotFoundError

#: A library that makes data frames.
Library = Literal["pandas", "polars"]
Value = Union[str, int, float, None]
Row = Mapping[str, Value]

_LIBRARIES: tuple[Library, ...] = ("pandas", "polars")


@dataclass(frozen=True)
class Table:
    """Rows of one form; a value that is absent is None."""

    #: Type of each column that is no text: ``int`` or ``float``.
    columns: Mapping[str, type]
    rows: Sequence[Row]


#: Columns of ``cells.csv`` that are numbers; all others are text.
_CELLS: Mapping[str, type] = {
    "batch_size": int, "concurrency": int, "intra_threads": int,
    "value": float, "low": float, "high": float, "n": int,
}

_OPERATORS: Mapping[str, type] = {
    "variant": str, "batch_size": int, "shape_index": int,
    "operator": str, "execution_provider": str, "group": str,
    "nodes_count": int, "calls": float,
    "time_ns": int, "time_low_ns": float, "time_high_ns": float,
    "share_ratio": float, "share_low_ratio": float, "share_high_ratio": float,
    "bytes": int, "times": str,
}


def cells(text: str) -> Table:
    """The table that ``report --format csv --raw-names`` prints: one row per figure."""
    reader = csv.DictReader(io.StringIO(text))
    columns = {name: _CELLS.get(name, str) for name in reader.fieldnames or ()}
    return Table(columns, [_typed(row, columns) for row in reader])


def operators(data: Mapping[str, Any]) -> Table:
    """One row per kind of operator of each profile, from what ``show --json`` found."""
    rows = [
        row
        for found in data["operators"]
        for row in _operator_rows(found, data["sessions"][found["session"]]["label"])
    ]
    return Table(_OPERATORS, rows)


def _operator_rows(found: Mapping[str, Any], label: str) -> list[Row]:
    profile = found["breakdown"].get("Ok")
    if profile is None:
        return []
    profiled: Row = {
        "variant": label,
        "batch_size": found["batch_size"],
        "shape_index": found["shape"],
        "times": profile["times"],
    }
    return [{**profiled, **_operator(one)} for one in profile["by_operator"]]


def _operator(found: Mapping[str, Any]) -> Row:
    bounds = found["bounds"] or {"time_ns": {}, "share": {}}
    return {
        **{name: found[name] for name in ("operator", "execution_provider", "group")},
        **{name: found[name] for name in ("nodes_count", "calls", "time_ns", "bytes")},
        "time_low_ns": bounds["time_ns"].get("low"),
        "time_high_ns": bounds["time_ns"].get("high"),
        "share_ratio": found["share"],
        "share_low_ratio": bounds["share"].get("low"),
        "share_high_ratio": bounds["share"].get("high"),
    }


def _typed(row: Mapping[str, Any], columns: Mapping[str, type]) -> Row:
    return {name: _value(text, columns.get(name, str)) for name, text in row.items()}


def _value(text: str, kind: type) -> Value:
    if text == "" and kind is not str:
        return None
    return text if kind is str else int(text) if kind is int else float(text)


def data_frame(table: Table, library: Optional[Library]) -> Any:
    """The table as a data frame of this library, or of the first one that is installed.

    Raises:
        DataFrameLibraryNotFoundError: it is not installed, or none of them is.
    """
    if _installed(library) == "pandas":
        return _pandas_frame(table)
    return _polars_frame(table)


def _installed(library: Optional[Library]) -> Library:
    wanted = _LIBRARIES if library is None else (library,)
    for name in wanted:
        try:
            importlib.import_module(name)
        except ImportError:
            continue
        return name
    raise DataFrameLibraryNotFoundError(
        f"{' or '.join(wanted)} is needed for a data frame, and cannot be imported\n"
        f"hint: `pip install {wanted[0]}`, or take `run.rows(...)`, which needs neither"
    )


def _pandas_frame(table: Table) -> Any:
    import pandas

    kinds = {int: "Int64", float: "Float64", str: "object"}
    series = {
        name: pandas.Series([row[name] for row in table.rows], dtype=kinds[kind])
        for name, kind in table.columns.items()
    }
    return pandas.DataFrame(series)


def _polars_frame(table: Table) -> Any:
    import polars

    kinds = {int: polars.Int64, float: polars.Float64, str: polars.String}
    schema = {name: kinds[kind] for name, kind in table.columns.items()}
    return polars.DataFrame(list(table.rows), schema=schema)
