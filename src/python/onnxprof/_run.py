"""A run: read from its folder by the command, and shown in a notebook."""

from __future__ import annotations

import os
import pathlib
from collections.abc import Mapping
from functools import cached_property
from typing import TYPE_CHECKING, Any, Literal, Optional, Union, overload

from . import _tables
from ._answer import Answer, read_answer
from ._binary import call
from ._card import answer_card
from ._gate import Gate, Rules, apply_rules
from ._options import Option, words_of

if TYPE_CHECKING:
    import pandas
    import polars

#: Name of a table of a run.
TableName = Literal["cells", "operators"]


class Run:
    """A run of ``profile``, ``tune`` or ``load``: its answer, its figures, and where it lies.

    Made by `open`, `profile`, `tune` and `load`.
    """

    def __init__(self, document: Mapping[str, Any]) -> None:
        """Takes what ``onnxprof show RUN --json`` printed."""
        self._document = document
        #: Folder of the run, absolute.
        self.folder = pathlib.Path(document["data"]["folder"]).absolute()

    @property
    def findings(self) -> Mapping[str, Any]:
        """Everything that was found: ``data`` of the ``--json`` document, as it came.

        Its fields are described where the command's are; `answer`, `cells` and `operators` are the
        parts of it that have types here.
        """
        found: Mapping[str, Any] = self._document["data"]
        return found

    @cached_property
    def answer(self) -> Answer:
        """What to do, and the figures that this rests on, with intervals."""
        return read_answer(self._document)

    @property
    def is_complete(self) -> bool:
        """Whether the run came to its own end."""
        return bool(self.findings["complete"])

    @property
    def cells(self) -> Any:
        """Every figure of every variant and cell: one row each, the columns of ``cells.csv``.

        Shape: (figures, 16), at least: ``variant``, ``execution_provider``, ``batch_size``,
        ``concurrency``, ``intra_threads``, ``metric``, ``unit``, ``value``, ``low`` and ``high``
        (ends of the 95% interval, both in ``unit``), ``n``, ``outcome``, ``reason``, ``runtime``,
        ``binding``, ``shape``. Absent numbers are missing values, absent texts empty. Figures of
        a session as a whole have no ``batch_size``.

        A data frame of pandas, or of polars where pandas is not installed; `frame` names one.

        Raises:
            DataFrameLibraryNotFoundError: neither is installed.
        """
        return self._frame("cells", None)

    @property
    def operators(self) -> Any:
        """Where the time goes: one row for each kind of operator of each profiled session.

        Columns: ``variant``, ``batch_size``, ``shape_index`` (of the swept shapes, from 0),
        ``operator``, ``execution_provider``, ``group``, ``nodes_count``, ``calls`` (for one
        inference), ``time_ns`` (for one inference, without what the profiler adds),
        ``share_ratio`` (of the time in all nodes), for both between what they lie where the
        profiler leaves that open, ``bytes`` (read and written by one inference), and ``times``
        (whose times these are: of the ``host`` or of a ``device``). Empty where nothing was
        profiled. Each node has a row in the run's ``operators.csv``, with the profiler's times.

        A data frame of pandas, or of polars where pandas is not installed; `frame` names one.

        Raises:
            DataFrameLibraryNotFoundError: neither is installed.
        """
        return self._frame("operators", None)

    @overload
    def frame(self, name: TableName, library: Literal["pandas"]) -> pandas.DataFrame: ...
    @overload
    def frame(self, name: TableName, library: Literal["polars"]) -> polars.DataFrame: ...
    def frame(self, name: TableName, library: _tables.Library) -> Any:
        """`cells` or `operators` as a data frame of this library.

        Raises:
            DataFrameLibraryNotFoundError: it is not installed.
        """
        return self._frame(name, library)

    def rows(self, name: TableName) -> list[dict[str, _tables.Value]]:
        """`cells` or `operators` as dictionaries, without any library; absent numbers are None."""
        return [dict(row) for row in self._table(name).rows]

    def gate(self, rules: Rules, **options: Option) -> Gate:
        """Judges the run by rules, as ``onnxprof gate`` does.

        Args:
            rules: a rule file by its path, or the text of one (with ``[[rule]]`` or several lines).
            options: further options of ``onnxprof gate``, such as ``against="baseline-run"``,
                ``accept_invalid=True`` or ``junit="gate.xml"``.

        Raises:
            BadInputError: the rules cannot be used, or match nothing of the run.
            UsageError: there is no such option.
        """
        return apply_rules(str(self.folder), rules, words_of(options))

    def _frame(self, name: TableName, library: Optional[_tables.Library]) -> Any:
        return _tables.data_frame(self._table(name), library)

    def _table(self, name: TableName) -> _tables.Table:
        return self._cells if name == "cells" else _tables.operators(self.findings)

    @cached_property
    def _cells(self) -> _tables.Table:
        return _tables.cells(self._report("csv", "--raw-names"))

    def _report(self, form: str, *words: str) -> str:
        return call(["report", str(self.folder), "--format", form, *words]).require(0).stdout

    def __repr__(self) -> str:
        return f"<onnxprof.Run {str(self.folder)!r}: {self.answer.words}>"

    def _repr_html_(self) -> str:
        page = self.folder / "report.html"
        place = f"Page: {page}" if page.is_file() else f"Run: {self.folder}"
        return answer_card(self.answer.decision, self._report("markdown"), place)


def open(path: Union[str, os.PathLike[str]] = "onnxprof-runs") -> Run:
    """A run by its folder or its ``run.json``, or the latest one in a folder of runs.

    Neither a model nor ONNX Runtime is needed.

    Raises:
        BadInputError: there is no run, or it cannot be read.
        BinaryNotFoundError: the command is not installed.
    """
    return Run(call(["show", os.fspath(path), "--json"]).require(0).document())
