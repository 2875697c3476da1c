"""Measuring: words of the command line, progress, errors by exit code, and interrupts."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from datetime import timedelta
from pathlib import Path

import pytest
from conftest import DIGITS

import onnxprof
from onnxprof._options import Option, words_of

FP32 = DIGITS / "digits-fp32.onnx"
#: One short round.
SCHEDULE: dict[str, Option] = {"rounds": 1, "alternations": 1, "block": "1ms", "batch": 1}


def test_options_become_words() -> None:
    words = words_of({
        "budget": timedelta(seconds=1.5), "batch": [1, 8], "dim": {"seq": 64}, "cold": True,
        "decide": False, "allow_spinning": False, "data": Path("a b.npz"), "baseline": None,
    })
    assert words == [
        "--budget=1500000us", "--batch=1", "--batch=8", "--dim=seq=64", "--cold",
        "--allow-spinning=false", "--data=a b.npz",
    ]


def test_models_on_onnx_runtime_are_measured_and_scored(measured: onnxprof.Run) -> None:
    fp32, int8 = measured.answer.variants.values()
    assert fp32.is_measured and int8.is_measured
    median = fp32["latency_p50_ns"].value
    assert median is not None and median > 0
    assert fp32["file_size_bytes"].value == (DIGITS / "digits-fp32.onnx").stat().st_size


def test_models_are_loaded_with_requests_that_arrive_by_themselves(
    script: str, tmp_path: Path
) -> None:
    run = onnxprof.load(
        FP32, False, rate=200, budget="20s", runtime=script, out=tmp_path / "run"
    )
    assert run.findings["load"] is not None
    assert onnxprof.open(run.folder).answer.words == run.answer.words != ""


def test_progress_comes_line_by_line(script: str, tmp_path: Path) -> None:
    lines: list[str] = []
    options = {**SCHEDULE, "runtime": script, "out": tmp_path / "run"}
    onnxprof.profile(FP32, lines.append, **options)
    assert any(line.startswith("measuring digits-fp32") for line in lines)
    assert any(line.startswith("round 1") for line in lines)


def test_progress_goes_to_stderr_and_nothing_to_stdout(
    script: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    onnxprof.profile(FP32, True, **{**SCHEDULE, "runtime": script, "out": tmp_path / "run"})
    captured = capsys.readouterr()
    assert "round 1" in captured.err and captured.out == ""


def test_a_wrong_option_is_a_usage_error_in_the_tools_words() -> None:
    with pytest.raises(onnxprof.UsageError, match="--budgte") as raised:
        onnxprof.profile(DIGITS, budgte="20s", progress=False)
    assert raised.value.exit_code == 2 and raised.value.command[1] == "profile"


def test_a_model_that_is_not_there_is_bad_input() -> None:
    with pytest.raises(onnxprof.BadInputError, match="no-such.onnx") as raised:
        onnxprof.profile("no-such.onnx", progress=False)
    assert raised.value.exit_code == 3


def test_a_folder_without_a_run_is_bad_input(tmp_path: Path) -> None:
    with pytest.raises(onnxprof.BadInputError, match="no run at"):
        onnxprof.open(tmp_path / "nothing")


def test_a_run_that_failed_in_part_is_an_error_that_holds_what_was_measured(
    tmp_path: Path
) -> None:
    script = tmp_path / "script.json"
    script.write_text(
        '{"variants": {"digits-fp32": {"fixed_ns": 200000},'
        ' "digits-int8-static": {"fixed_ns": 100000, "fault": {"at": "load", "kind": "error"}}}}'
    )
    with pytest.raises(onnxprof.PartialRunError) as raised:
        options = {**SCHEDULE, "runtime": f"script:{script}", "out": tmp_path / "run"}
        onnxprof.profile([FP32, DIGITS / "digits-int8-static.onnx"], False, **options)
    assert raised.value.exit_code == 4 and raised.value.run is not None
    fp32, int8 = raised.value.run.answer.variants.values()
    assert fp32.is_measured and not int8.is_measured


def test_an_interrupt_ends_the_command_and_keeps_the_run(tmp_path: Path) -> None:
    program = (
        "import onnxprof, sys\n"
        f"onnxprof.profile({str(DIGITS)!r}, budget='60s', batch=1, out={str(tmp_path / 'run')!r})\n"
    )
    child = subprocess.Popen([sys.executable, "-c", program], stderr=subprocess.PIPE, text=True)
    assert child.stderr is not None
    for line in child.stderr:
        if line.startswith("round 1"):
            break
    child.send_signal(signal.SIGINT)
    began = time.monotonic()
    rest = child.stderr.read()
    assert child.wait() != 0 and "KeyboardInterrupt" in rest
    assert time.monotonic() - began < 30
    assert not onnxprof.open(tmp_path / "run").answer.decision == "ship"


def test_the_command_is_found_by_its_variable_alone_where_that_is_set(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    binary = onnxprof.find_binary()
    assert os.access(binary, os.X_OK)
    monkeypatch.setenv("ONNXPROF_BIN", str(tmp_path / "missing"))
    with pytest.raises(onnxprof.BinaryNotFoundError, match="names no program"):
        onnxprof.find_binary()
    monkeypatch.delenv("ONNXPROF_BIN")
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr("onnxprof._binary._scripts_folders", lambda: iter([tmp_path]))
    with pytest.raises(onnxprof.BinaryNotFoundError, match="hint: install the package"):
        onnxprof.find_binary()
    (tmp_path / "onnxprof").symlink_to(binary)
    assert onnxprof.find_binary() == tmp_path / "onnxprof"


def test_output_of_another_major_version_is_refused(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    other = tmp_path / "onnxprof"
    other.write_text('#!/bin/sh\necho \'{"schema": "urn:onnxprof:json:2.0"}\'\n')
    other.chmod(0o755)
    monkeypatch.setenv("ONNXPROF_BIN", str(other))
    with pytest.raises(onnxprof.InternalError, match="urn:onnxprof:json:2.0"):
        onnxprof.open(tmp_path)


def test_the_module_is_the_command() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "onnxprof", "--version"], capture_output=True, text=True, check=True
    )
    assert done.stdout.startswith("onnxprof ")
