"""Options of the command line from keyword arguments."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from datetime import timedelta
from typing import Union

Scalar = Union[str, int, float, bool, timedelta, "os.PathLike[str]"]
#: Value of an option. Several values repeat it; of a mapping, each is ``KEY=VALUE``. True is an
#: option without a value; None and False leave it out.
Option = Union[Scalar, Sequence[Scalar], Mapping[str, Scalar], None]

#: Options that take ``true`` or ``false`` as their value.
_WITH_TRUTH = frozenset({"allow_spinning", "memory_arena", "memory_pattern"})


def words_of(options: Mapping[str, Option]) -> list[str]:
    """Words of the command line: ``batch=[1, 8]`` gives ``--batch=1 --batch=8``."""
    return [word for name, value in options.items() for word in _words(name, value)]


def _words(name: str, value: Option) -> Iterator[str]:
    flag = "--" + name.rstrip("_").replace("_", "-")
    for one in _values(value):
        if one is True and name not in _WITH_TRUTH:
            yield flag
        elif one is not False or name in _WITH_TRUTH:
            yield f"{flag}={_text(one)}"


def _values(value: Option) -> Sequence[Scalar]:
    if value is None:
        return ()
    if isinstance(value, Mapping):
        return [f"{key}={_text(one)}" for key, one in value.items()]
    if isinstance(value, Sequence) and not isinstance(value, str):
        return value
    return (value,)


def _text(value: Scalar) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, timedelta):
        return f"{value // timedelta(microseconds=1)}us"
    return os.fspath(value) if isinstance(value, os.PathLike) else str(value)
