"""What a run says: the decision, and the figures that it rests on, with their intervals."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, Literal, Optional, cast

#: What to do: ship a variant, keep the baseline, measure more, ship none of them, or no answer.
Decision = Literal["ship", "keep", "undecided", "do_not_ship", "no_answer"]
#: Whether the machine was fit to measure on.
Fitness = Literal["valid", "suspect", "invalid"]

_UNITS = ("ns", "bytes", "per_sec", "ratio", "joules", "watts", "count")


def unit_of(metric: str) -> str:
    """Base unit of a metric, by its name's end; ``output_unit`` is that of a model's output."""
    if metric.endswith("_ratio_to_baseline"):
        return "ratio"
    return next((unit for unit in _UNITS if metric.endswith("_" + unit)), "output_unit")


def ratio_of(metric: str) -> str:
    """Name of a metric's ratio to the baseline, such as ``latency_p50_ratio_to_baseline``."""
    ending = next((f"_{unit}" for unit in _UNITS if metric.endswith("_" + unit)), "")
    return metric[: len(metric) - len(ending)] + "_ratio_to_baseline"


@dataclass(frozen=True)
class Figure:
    """A figure with its 95% interval, in the base unit that its metric's name ends in."""

    #: Key of the metric, such as ``latency_p50_ns``.
    metric: str
    #: ``ns``, ``bytes``, ``per_sec``, ``ratio``, ``joules``, ``watts``, ``count``, ``output_unit``.
    unit: str
    #: None where it was not measured; ``reason`` says why.
    value: Optional[float]
    #: Ends of the 95% confidence interval; None where there is none, and ``reason`` says why.
    low: Optional[float] = None
    high: Optional[float] = None
    #: Bounds that are known where there is no interval.
    at_least: Optional[float] = None
    at_most: Optional[float] = None
    #: How many observations stand behind the value, and of which kind, such as ``launches``.
    n: Optional[int] = None
    n_of: Optional[str] = None
    #: Why there is no value or no interval; None where there is nothing to remark.
    reason: Optional[str] = None

    @staticmethod
    def read(metric: str, estimate: Mapping[str, Any]) -> Figure:
        """A figure of the ``--json`` document."""
        interval = estimate.get("interval") or {}
        bounds = estimate.get("bounds") or {}
        return Figure(
            metric=metric,
            unit=unit_of(metric),
            value=estimate.get("value"),
            low=interval.get("low"),
            high=interval.get("high"),
            at_least=bounds.get("at_least"),
            at_most=bounds.get("at_most"),
            n=estimate.get("n"),
            n_of=estimate.get("n_of"),
            reason=estimate.get("reason") or estimate.get("remark"),
        )


@dataclass(frozen=True)
class Variant:
    """A session of a run: a model file under one set of options, beside the baseline."""

    #: Name by which reports and rules call it.
    name: str
    is_baseline: bool
    #: Whether its launches measured anything.
    is_measured: bool
    #: None for the baseline, and where the run came to no judgement on it.
    decision: Optional[Decision]
    #: Batch size that ``figures`` and ``ratio`` are of; None where no cell of it was measured.
    batch_size: Optional[int]
    #: Figures of the session and of its cell at ``batch_size``, by metric.
    figures: Mapping[str, Figure]
    #: The figure that decides over the baseline's, block by block where both took turns; of a time
    #: or a size, below 1 is better. None for the baseline, and where nothing was compared.
    ratio: Optional[Figure]

    def __getitem__(self, metric: str) -> Figure:
        """The figure of a metric, such as ``variant["latency_p50_ns"]``."""
        return self.figures[metric]


@dataclass(frozen=True)
class Answer:
    """The answer of a run, in the words in which every report tells it."""

    #: The sentence that stands first on the screen and in reports.
    words: str
    #: None where the run ended before it could be judged.
    decision: Optional[Decision]
    #: Whether the machine was fit to measure on; None where the run did not come to its end.
    fitness: Optional[Fitness]
    #: What was seen of a machine that was not fit, in words.
    fitness_reasons: tuple[str, ...]
    #: Name of the variant that the decision is about; None where it is about none.
    variant: Optional[str]
    #: All variants, in the order of the run, by name.
    variants: Mapping[str, Variant] = field(repr=False)

    def __str__(self) -> str:
        return self.words


def read_answer(document: Mapping[str, Any]) -> Answer:
    """The answer in what ``show --json`` prints."""
    data = document["data"]
    said = document["answer"] or {}
    judgement = data["judgement"]
    sessions = data["sessions"]
    fitness = data.get("fitness") or {}
    about = judgement.get("session")
    variants = [_variant(data, index) for index in range(len(sessions))]
    return Answer(
        words=said.get("words", ""),
        decision=said.get("decision"),
        fitness=fitness.get("verdict"),
        fitness_reasons=tuple(reason["seen"] for reason in fitness.get("reasons", ())),
        variant=None if about is None else sessions[about]["label"],
        variants=MappingProxyType({variant.name: variant for variant in variants}),
    )


def _variant(data: Mapping[str, Any], index: int) -> Variant:
    session = data["sessions"][index]
    judgement = data["judgement"]
    mine: dict[str, Any] = next(
        (other for other in judgement["others"] if other["session"] == index), {}
    )
    key = judgement.get("baseline") if session["is_baseline"] else mine.get("key")
    cell: dict[str, Any] = next((cell for cell in data["cells"] if cell["key"] == key), {})
    advantage = mine.get("advantage") or {}
    ratio = advantage.get("ratio")
    return Variant(
        name=session["label"],
        is_baseline=session["is_baseline"],
        is_measured=session["outcome"]["status"] == "ok",
        decision=cast("Optional[Decision]", mine.get("decision")),
        batch_size=None if key is None else key["batch_size"],
        figures=_figures(session.get("figures", ()), cell.get("figures", ())),
        ratio=None if ratio is None else Figure.read(ratio_of(advantage["metric"]), ratio),
    )


def _figures(*lists: Any) -> Mapping[str, Figure]:
    """The figures of these lists by metric; where two have one, the later list's stands."""
    return MappingProxyType({
        one["metric"]: Figure.read(one["metric"], one["estimate"]) for some in lists for one in some
    })
