"""Runs that tests read: one measured on ONNX Runtime, one played from a script of latencies."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

import onnxprof

ROOT = Path(__file__).resolve().parents[3]
DIGITS = ROOT / "models" / "digits"
#: Median latencies that the script plays, in nanoseconds; they vary by 2%.
SCRIPTED_NS = {"digits-fp32": 214_000, "digits-int8-static": 102_000}


@pytest.fixture(scope="session", autouse=True)
def _module_in_programs() -> Iterator[None]:
    """Programs that tests start import the same module."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONPATH", str(Path(onnxprof.__file__).parents[1]))
        yield


@pytest.fixture(scope="session")
def measured(tmp_path_factory: pytest.TempPathFactory) -> onnxprof.Run:
    """The digits models on ONNX Runtime, as far as eight seconds go."""
    out = tmp_path_factory.mktemp("measured") / "run"
    models = [DIGITS / "digits-fp32.onnx", DIGITS / "digits-int8-static.onnx"]
    return onnxprof.profile(models, budget="8s", batch=1, out=out, progress=False)


@pytest.fixture(scope="session")
def script(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A runtime that plays latencies, for `runtime=`."""
    path = tmp_path_factory.mktemp("script") / "script.json"
    variants = {name: {"fixed_ns": ns, "jitter_ratio": 0.02} for name, ns in SCRIPTED_NS.items()}
    path.write_text(json.dumps({"variants": variants}))
    return f"script:{path}"


@pytest.fixture(scope="session")
def scripted(script: str, tmp_path_factory: pytest.TempPathFactory) -> onnxprof.Run:
    """Eight rounds of two digits models under the script, at batch sizes 1 and 8."""
    return onnxprof.profile(
        [DIGITS / f"{name}.onnx" for name in SCRIPTED_NS],
        runtime=script,
        rounds=8,
        alternations=2,
        block="2ms",
        batch=[1, 8],
        out=tmp_path_factory.mktemp("scripted") / "run",
        progress=False,
    )
