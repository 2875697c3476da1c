"""Rules, from a file and from text, with the meaning of the exit code."""

from __future__ import annotations

from pathlib import Path

import pytest

import onnxprof

KEPT = '[[rule]]\ncheck = "latency_p50 <= 0.9 x baseline"\nvariant = "int8-static"\n'
BROKEN = '[[rule]]\ncheck = "latency_p50 <= 1 us"\nbatch_size = 1\n'
OPEN = '[[rule]]\ncheck = "latency_p999 <= 300 us"\nvariant = "fp32"\nbatch_size = 1\n'


@pytest.mark.parametrize(
    ("rules", "verdict", "exit_code", "meaning"),
    [
        (KEPT, "pass", 0, "every rule is kept"),
        (BROKEN, "fail", 5, "a rule failed"),
        (OPEN, "inconclusive", 6, "the figures do not decide"),
    ],
    ids=["pass", "fail", "inconclusive"],
)
def test_a_gate_tells_its_verdict_and_what_the_exit_code_means(
    scripted: onnxprof.Run, rules: str, verdict: str, exit_code: int, meaning: str
) -> None:
    gate = scripted.gate(rules, accept_invalid=True)
    assert (gate.verdict, gate.exit_code) == (verdict, exit_code)
    assert meaning in gate.meaning and gate.passed == (verdict == "pass")
    assert gate.words.lower().startswith(f"gate: {verdict}") and str(gate) == gate.words


def test_each_check_has_its_figure_with_interval_and_budget(scripted: onnxprof.Run) -> None:
    (one, other) = scripted.gate(KEPT, accept_invalid=True).checks
    assert [check.batch_size for check in (one, other)] == [1, 8]
    assert one.variant == "int8-static" and one.line == 2 and one.budget == 0.9
    figure = one.figure
    assert figure is not None and figure.unit == "ratio" and one.budget_of == "ratio_to_baseline"
    assert figure.value is not None and figure.low is not None and figure.high is not None
    assert figure.low <= figure.value <= figure.high < 0.9


def test_rules_come_from_a_file_too(scripted: onnxprof.Run, tmp_path: Path) -> None:
    path = tmp_path / "rules.toml"
    path.write_text(BROKEN)
    junit = tmp_path / "gate.xml"
    gate = scripted.gate(path, accept_invalid=True, junit=junit)
    assert gate.verdict == scripted.gate(str(path), accept_invalid=True).verdict == "fail"
    assert "<failure" in junit.read_text()


def test_the_card_of_a_gate_lists_its_rules(scripted: onnxprof.Run) -> None:
    card = scripted.gate(BROKEN, accept_invalid=True)._repr_html_()
    assert "latency_p50 &lt;= 1 us" in card and "Fail" in card


def test_rules_that_match_nothing_are_an_error_in_the_tools_words(scripted: onnxprof.Run) -> None:
    with pytest.raises(onnxprof.OnnxprofError) as raised:
        scripted.gate(BROKEN.replace("batch_size = 1", 'variant = "fp8"'))
    assert raised.value.exit_code in (2, 3) and "fp8" in str(raised.value)


def test_rules_that_are_not_there_are_bad_input(scripted: onnxprof.Run) -> None:
    with pytest.raises(onnxprof.BadInputError, match="no-such.toml"):
        scripted.gate("no-such.toml")
