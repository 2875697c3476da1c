"""Which variant of an ONNX model to ship, and how sure that is: runs of onnxprof, read from Python.

    import onnxprof

    run = onnxprof.profile("models/digits", budget="20s")   # or onnxprof.open("onnxprof-runs")
    run                                                     # in a notebook: the answer as a card
    run.answer.decision                                     # "ship", "keep", "undecided", ...
    run.cells                                               # one row per figure, with interval, n
    run.gate("gate.toml").passed

The command ``onnxprof`` measures and computes; this module calls it and reads what it prints.
Nothing is computed twice. Times are in nanoseconds, sizes in bytes, shares from 0 to 1: the unit is
the end of each metric's name.
"""

from ._answer import Answer, Decision, Figure, Fitness, Variant
from ._binary import find_binary
from ._errors import (
    BadInputError,
    BinaryNotFoundError,
    DataFrameLibraryNotFoundError,
    InternalError,
    OnnxprofError,
    PartialRunError,
    UsageError,
)
from ._gate import Check, Gate, GateVerdict
from ._measure import load, profile, tune
from ._run import Run, TableName, open
from ._tables import Library

__all__ = [
    "Answer",
    "BadInputError",
    "BinaryNotFoundError",
    "Check",
    "DataFrameLibraryNotFoundError",
    "Decision",
    "Figure",
    "Fitness",
    "Gate",
    "GateVerdict",
    "InternalError",
    "Library",
    "OnnxprofError",
    "PartialRunError",
    "Run",
    "TableName",
    "UsageError",
    "Variant",
    "find_binary",
    "load",
    "open",
    "profile",
    "tune",
]
