"""Measuring: calls the command, passes its progress on, and hands back the run."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from typing import Optional, Union

from ._binary import Ended, Listener, call_aloud
from ._errors import OnnxprofError, PartialRunError
from ._options import Option, words_of
from ._run import Run

_Path = Union[str, "os.PathLike[str]"]
#: Model files, and folders of them.
Models = Union[_Path, Sequence[_Path]]

#: Exit codes after which there is a run that measured what was asked for: done, figures that do not
#: decide, and none that may be shipped. Which of them, its answer says.
_MEASURED = (0, 6, 7)


def profile(models: Models, progress: Union[bool, Listener] = True, **options: Option) -> Run:
    """Measures models: latency, throughput, loading, memory and accuracy, variant by variant.

    Args:
        models: model files, or folders of them, whose models are variants of one.
        progress: True passes the lines that the command says meanwhile on to ``sys.stderr``, which
            a notebook shows below the cell; a function is called with each line.
        options: the options of ``onnxprof profile``, with ``_`` for ``-``: ``budget="20s"`` or a
            ``timedelta``, ``batch=[1, 8]``, ``dim={"seq": 64}``, ``data="samples.npz"``,
            ``allow_spinning=False``, ``cold=True``, ``out="run"``. A number has no unit: times
            are texts with one, such as ``"30ms"``, or a ``timedelta``.

    Returns:
        The run. Its folder is ``out``, else a new one in ``onnxprof-runs``.

    Raises:
        UsageError: an option is wrong.
        BadInputError: a model, data or a library cannot be used, or nothing could be measured.
        PartialRunError: some of it failed; its ``run`` has everything that did not.
        BinaryNotFoundError: the command is not installed.
    """
    return _measured("profile", models, progress, options)


def tune(models: Models, progress: Union[bool, Listener] = True, **options: Option) -> Run:
    """Searches for the best session options, as ``onnxprof tune`` does.

    Arguments, result and errors are those of `profile`; the options are those of ``onnxprof tune``,
    such as ``slo="latency_p99 <= 20 ms"`` and ``objective="throughput"``. The configuration that
    was found is the variant that ``run.answer.variant`` names.
    """
    return _measured("tune", models, progress, options)


def load(models: Models, progress: Union[bool, Listener] = True, **options: Option) -> Run:
    """Loads models with requests that arrive by themselves, as ``onnxprof load`` does.

    Arguments, result and errors are those of `profile`; the options are those of ``onnxprof load``,
    such as ``rate=[100, 200]`` (requests per second) and ``slo="response_p99 <= 20 ms"``. Figures
    under load are in ``run.findings["load"]``, as the command prints them.
    """
    return _measured("load", models, progress, options)


def _measured(
    command: str,
    models: Models,
    progress: Union[bool, Listener],
    options: dict[str, Option],
) -> Run:
    some = [models] if isinstance(models, (str, os.PathLike)) else models
    words = [command, *words_of(options), "--json", "--", *(os.fspath(model) for model in some)]
    listener = _say if progress is True else progress or None
    ended = call_aloud(words, listener)
    try:
        return Run(ended.require(*_MEASURED).document())
    except PartialRunError as error:
        error.run = _kept(ended)
        raise


def _kept(ended: Ended) -> Optional[Run]:
    """What a run that failed in part has left, if it printed that."""
    try:
        return Run(ended.document())
    except OnnxprofError:
        return None


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)
