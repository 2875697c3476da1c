"""A run: its answer, its figures, its tables and its card."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest
from conftest import SCRIPTED_NS

import onnxprof


def test_a_run_is_opened_by_its_folder_its_file_and_the_folder_of_runs(
    scripted: onnxprof.Run,
) -> None:
    for path in (scripted.folder, scripted.folder / "run.json", scripted.folder.parent):
        run = onnxprof.open(path)
        assert run.answer.words == scripted.answer.words
        assert run.folder.resolve() == scripted.folder.resolve()
    assert scripted.is_complete


def test_the_answer_has_decision_variants_and_figures_with_intervals(
    scripted: onnxprof.Run,
) -> None:
    answer = scripted.answer
    # Latencies alone come from a script: nothing says what the outputs are worth.
    assert answer.decision == "undecided"
    assert answer.variant == "int8-static"
    assert "int8-static" in answer.words and str(answer) == answer.words
    assert list(answer.variants) == ["fp32", "int8-static"]
    fp32, int8 = answer.variants.values()
    assert fp32.is_baseline and fp32.ratio is None and fp32.decision is None
    assert int8.batch_size == 1 and int8.is_measured and int8.decision == "undecided"
    ratio = int8.ratio
    assert ratio is not None and ratio.unit == "ratio"
    assert ratio.metric == "latency_p50_ratio_to_baseline"
    assert ratio.value is not None and ratio.low is not None and ratio.high is not None
    expected = SCRIPTED_NS["digits-int8-static"] / SCRIPTED_NS["digits-fp32"]
    assert ratio.low <= ratio.value <= ratio.high
    assert ratio.value == pytest.approx(expected, rel=0.02)


def test_figures_are_those_of_cells_csv(scripted: onnxprof.Run) -> None:
    written = list(csv.DictReader((scripted.folder / "cells.csv").open()))
    median = scripted.answer.variants["fp32"]["latency_p50_ns"]
    row = next(
        row for row in written
        if (row["variant"], row["batch_size"], row["metric"]) == ("fp32", "1", "latency_p50_ns")
    )
    assert median.unit == row["unit"] == "ns"
    assert median.value == pytest.approx(float(row["value"]))
    assert (median.low, median.high) == pytest.approx((float(row["low"]), float(row["high"])))
    assert median.n == int(row["n"]) and median.n_of == "launches"


def test_every_metric_has_the_unit_of_its_column(measured: onnxprof.Run) -> None:
    units = {row["metric"]: row["unit"] for row in measured.rows("cells")}
    for variant in measured.answer.variants.values():
        for metric, figure in variant.figures.items():
            assert figure.unit == units[metric], metric


def test_what_was_not_measured_has_no_value_but_a_reason(scripted: onnxprof.Run) -> None:
    absent = scripted.answer.variants["fp32"]["latency_p999_ns"]
    assert absent.value is None and absent.low is None
    assert absent.reason is not None and "needs" in absent.reason


@pytest.mark.parametrize("library", ["pandas", "polars"])
def test_cells_are_a_data_frame_with_typed_columns(
    scripted: onnxprof.Run, library: onnxprof.Library
) -> None:
    pytest.importorskip(library)
    frame = scripted.frame("cells", library)
    rows = scripted.rows("cells")
    assert frame.shape == (len(rows), 16)
    kinds = {name: str(kind) for name, kind in zip(frame.columns, frame.dtypes)}
    assert kinds["value"] == "Float64" and kinds["n"] == kinds["batch_size"] == "Int64"
    is_median = [row["metric"] == "latency_p50_ns" for row in rows]
    batch_sizes = [size for size, here in zip(frame["batch_size"].to_list(), is_median) if here]
    assert batch_sizes == [1, 8, 1, 8]
    assert set(frame["variant"].to_list()) == {"fp32", "int8-static"}


@pytest.mark.parametrize("library", ["pandas", "polars"])
def test_operators_say_where_the_time_goes(
    measured: onnxprof.Run, library: onnxprof.Library
) -> None:
    pytest.importorskip(library)
    rows = measured.rows("operators")
    if not rows:
        pytest.skip("the budget of this run left no time for profiles")
    frame = measured.frame("operators", library)
    assert frame.shape == (len(rows), 16)
    for variant in {row["variant"] for row in rows}:
        shares = [row["share_ratio"] for row in rows if row["variant"] == variant]
        assert sum(float(share or 0) for share in shares) == pytest.approx(1, abs=0.01)
    assert "Conv" in {row["operator"] for row in rows}


def test_a_name_that_pandas_takes_for_a_missing_value_stays_a_name(
    scripted: onnxprof.Run, tmp_path: Path
) -> None:
    pytest.importorskip("pandas")
    record = json.loads((scripted.folder / "run.json").read_text())
    text = json.dumps(record).replace('"fp32"', '"NA"')
    (tmp_path / "run.json").write_text(text)
    run = onnxprof.open(tmp_path)
    assert "NA" in run.answer.variants
    assert "NA" in set(run.frame("cells", "pandas")["variant"])


def test_without_pandas_and_polars_the_error_says_what_to_install(
    scripted: onnxprof.Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(__import__("sys").modules, "pandas", None)
    monkeypatch.setitem(__import__("sys").modules, "polars", None)
    with pytest.raises(onnxprof.DataFrameLibraryNotFoundError, match="pip install pandas"):
        _ = scripted.cells
    assert scripted.rows("cells")[0]["variant"] == "fp32"


def test_the_card_shows_the_answer_and_one_table(scripted: onnxprof.Run) -> None:
    card = scripted._repr_html_()
    assert "Undecided" in card and "int8-static</td>" in card
    assert card.count("<table>") == 1 and "**" not in card and "<script" not in card
    assert str(scripted.folder) in card


def test_names_are_escaped_in_the_card(scripted: onnxprof.Run, tmp_path: Path) -> None:
    text = (scripted.folder / "run.json").read_text()
    hostile = "<img src=x onerror=alert(1)>|*a*"
    (tmp_path / "run.json").write_text(text.replace('"fp32"', json.dumps(hostile)))
    card = onnxprof.open(tmp_path)._repr_html_()
    assert "<img" not in card
    assert "&lt;img src=x onerror=alert(1)&gt;|*a*" in card
