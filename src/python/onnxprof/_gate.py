"""Rules, and what a run makes of them."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, Optional, Union

from ._answer import Figure, ratio_of
from ._binary import call
from ._card import gate_card

#: Whether a rule, or all of them together, are kept.
GateVerdict = Literal["pass", "fail", "inconclusive"]
#: A rule file by its path, or its text.
Rules = Union[str, "os.PathLike[str]"]

#: Exit codes of the command after which there is a result.
_MEANINGS: Mapping[int, str] = {
    0: "every rule is kept",
    4: "some cells or launches of the run failed, or it was interrupted",
    5: "a rule failed",
    6: "no rule failed, but the figures do not decide all of them",
}


@dataclass(frozen=True)
class Check:
    """A rule, applied to one of the sessions or cells that it names."""

    #: The rule as the file has it, such as ``latency_p99 <= 20 ms``.
    rule: str
    #: Line of the rule file, from 1.
    line: int
    verdict: GateVerdict
    #: Name of the variant that it was applied to; None where the rule is about none.
    variant: Optional[str]
    #: None where the rule is about a session as a whole.
    batch_size: Optional[int]
    #: What was compared with the budget, with its interval; None where the rule takes no budget.
    figure: Optional[Figure]
    #: In the unit of ``figure``; of a ratio or a difference to the baseline, the bound of that.
    budget: Optional[float]
    #: What the budget is about: ``figure``, ``ratio_to_baseline``, ``difference_to_baseline`` ...
    budget_of: Optional[str]
    #: Why it is not decided, where that is not the interval.
    reason: Optional[str]


@dataclass(frozen=True)
class Gate:
    """The result of a gate."""

    #: The sentence that the command prints first.
    words: str
    verdict: GateVerdict
    #: Exit code of the command, for a script that passes it on.
    exit_code: int
    checks: Sequence[Check]
    #: What else is to be known, such as that the machine was not fit.
    remarks: Sequence[str]

    @property
    def passed(self) -> bool:
        """Whether every rule is kept; what is not decided is not passed."""
        return self.verdict == "pass"

    @property
    def meaning(self) -> str:
        """What the exit code means."""
        return _MEANINGS[self.exit_code]

    def __str__(self) -> str:
        return self.words

    def _repr_html_(self) -> str:
        rows = [
            (check.verdict, check.rule, check.variant or "", str(check.batch_size or ""))
            for check in self.checks
        ]
        return gate_card(self.verdict, self.words, rows, self.remarks)


def apply_rules(run: str, rules: Rules, words: Sequence[str]) -> Gate:
    """Applies rules to the run in a folder, with further words of the command line."""
    with _rule_file(rules) as path:
        ended = call(["gate", run, "--rules", str(path), "--json", "--github", "never", *words])
    # Exit code 4 goes with a document only where the rules were applied nevertheless.
    ended.require(*_MEANINGS if ended.stdout else (0,))
    document = ended.document()
    data = document["data"]
    return Gate(
        words=document["answer"]["words"],
        verdict=data["verdict"],
        exit_code=ended.exit_code,
        checks=tuple(_check(check) for check in data["checks"]),
        remarks=tuple(data.get("remarks", ())),
    )


def _check(found: Mapping[str, Any]) -> Check:
    figure = found.get("figure")
    metric = found.get("metric")
    if metric and found.get("held") == "ratio_to_baseline":
        metric = ratio_of(metric)
    return Check(
        rule=found["check"],
        line=found["line"],
        verdict=found["verdict"],
        variant=found.get("session"),
        batch_size=(found.get("cell") or {}).get("batch_size"),
        figure=Figure.read(metric, figure) if figure and metric else None,
        budget=found.get("budget"),
        budget_of=found.get("held"),
        reason=found.get("reason"),
    )


@contextmanager
def _rule_file(rules: Rules) -> Iterator[Path]:
    """The file itself, or one with the text while it is needed."""
    if not isinstance(rules, str) or not _is_text(rules):
        yield Path(rules)
        return
    with tempfile.TemporaryDirectory(prefix="onnxprof-") as folder:
        path = Path(folder) / "rules.toml"
        path.write_text(rules, encoding="utf-8")
        yield path


def _is_text(rules: str) -> bool:
    """A file's name holds no table of TOML and no line break."""
    return "[[" in rules or "\n" in rules
