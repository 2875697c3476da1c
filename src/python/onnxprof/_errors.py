"""Errors: one class for each exit code of the command that is one, with the command's own words."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Optional

if TYPE_CHECKING:
    from ._run import Run


class OnnxprofError(Exception):
    """A command did not do what it was asked to; its message is what the command said on stderr."""

    def __init__(
        self, words: str, *, exit_code: Optional[int] = None, command: Sequence[str] = ()
    ) -> None:
        super().__init__(words)
        #: Exit code of the command; negative: the signal that ended it; None: nothing was started.
        self.exit_code = exit_code
        #: Words of the command, its program first.
        self.command = tuple(command)


class InternalError(OnnxprofError):
    """A fault of onnxprof itself: exit code 1, a signal, or output that this module cannot read."""


class UsageError(OnnxprofError):
    """An option is wrong, or names what the model does not have: exit code 2."""


class BadInputError(OnnxprofError):
    """A model, data file, library, run folder or rule file cannot be used: exit code 3."""


class PartialRunError(OnnxprofError):
    """Some cells or launches failed, or the run was interrupted: exit code 4."""

    #: The run with everything that finished; None where the command left none.
    run: Optional[Run] = None


class BinaryNotFoundError(OnnxprofError):
    """The command ``onnxprof`` is in none of the places where it is sought."""


class DataFrameLibraryNotFoundError(OnnxprofError, ImportError):
    """Neither pandas nor polars can be imported, or not the one that was asked for."""


_BY_EXIT_CODE = {2: UsageError, 3: BadInputError, 4: PartialRunError}


def of_exit_code(exit_code: int, words: str, command: Sequence[str]) -> OnnxprofError:
    """The error that an exit code of the command stands for."""
    kind = _BY_EXIT_CODE.get(exit_code, InternalError)
    if not words:
        ended = f"signal {-exit_code}" if exit_code < 0 else f"exit code {exit_code}"
        words = f"onnxprof ended with {ended}, and said nothing"
    return kind(words, exit_code=exit_code, command=command)
