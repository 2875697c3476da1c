"""The GitHub action: its steps run one by one, as a runner runs them, on a scripted runtime."""

from __future__ import annotations

import json
import os
import re
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

import onnxprof

ROOT = Path(__file__).resolve().parents[3]
MODELS = ROOT / "models" / "digits"
KEPT = '[[rule]]\ncheck = "latency_p50 <= 0.9 x baseline"\nvariant = "int8-static"\n'
BROKEN = KEPT + '\n[[rule]]\ncheck = "latency_p50 <= 1 us"\n'


@dataclass
class Job:
    """A job of a runner: a workspace, and the files through which its steps speak."""

    folder: Path
    inputs: dict[str, str]

    def __post_init__(self) -> None:
        self.action: dict[str, Any] = yaml.safe_load((ROOT / "action.yml").read_text())
        for name, declared in self.action["inputs"].items():
            self.inputs.setdefault(name, declared.get("default", ""))
        self.outputs: dict[str, dict[str, str]] = {}
        self.summary = self.folder / "summary.md"
        self.said = ""

    def run(self, *ids: str) -> int:
        """Runs these steps, and gives the exit code of the last one that ran."""
        code = 0
        for step in self.action["runs"]["steps"]:
            if step["id"] in ids and self._is_wanted(step):
                code = self._run(step)
                if code != 0:
                    break
        return code

    def output(self, name: str) -> str:
        """An output of the action."""
        return self._filled(self.action["outputs"][name]["value"])

    def _is_wanted(self, step: dict[str, Any]) -> bool:
        return step.get("if") is None or (
            step["if"] == "inputs.rules != ''" and self.inputs["rules"] != ""
        )

    def _run(self, step: dict[str, Any]) -> int:
        output = self.folder / f"{step['id']}.output"
        output.touch()
        binary = onnxprof.find_binary()
        (self.folder / "bin").mkdir(exist_ok=True)
        command = self.folder / "bin" / "onnxprof"
        if not command.exists():
            command.symlink_to(binary)
        environment = {
            **os.environ,
            **{name: self._filled(value) for name, value in step["env"].items()},
            "PATH": f"{command.parent}:{os.environ['PATH']}",
            "GITHUB_ACTION_PATH": str(ROOT),
            "GITHUB_OUTPUT": str(output),
            "GITHUB_PATH": str(self.folder / "path"),
            "GITHUB_STEP_SUMMARY": str(self.summary),
            "RUNNER_TEMP": str(self.folder),
        }
        words = ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", step["run"]]
        done = subprocess.run(
            words, cwd=self.folder, env=environment, capture_output=True, text=True, check=False
        )
        self.said += done.stdout + done.stderr
        lines = output.read_text().splitlines()
        self.outputs[step["id"]] = dict(line.split("=", 1) for line in lines)
        return done.returncode

    def _filled(self, text: str) -> str:
        def value(found: re.Match[str]) -> str:
            kind, *path = found[1].split(".")
            if kind == "inputs":
                return self.inputs[path[0]]
            return self.outputs.get(path[0], {}).get(path[2], "")

        return re.sub(r"\$\{\{ (.*?) \}\}", value, text)


@pytest.fixture
def job(tmp_path: Path) -> Job:
    variants = {"digits-fp32": 214_000, "digits-int8-static": 102_000}
    script = {name: {"fixed_ns": ns, "jitter_ratio": 0.02} for name, ns in variants.items()}
    (tmp_path / "script.json").write_text(json.dumps({"variants": script}))
    options = "--runtime script:script.json --rounds 6 --alternations 1 --block 1ms --batch 1"
    models = "\n".join(str(MODELS / f"{name}.onnx") for name in variants)
    (tmp_path / "gate.toml").write_text(KEPT)
    return Job(tmp_path, {"models": models, "options": options, "rules": "gate.toml"})


def test_a_job_whose_rules_are_kept_passes(job: Job) -> None:
    assert job.run("measure", "gate") == 0, job.said
    assert (job.output("verdict"), job.output("exit-code")) == ("pass", "0")
    assert (job.folder / job.output("run") / "gate.xml").is_file()
    comment = (job.folder / job.output("comment")).read_text()
    assert comment.startswith("<!-- onnxprof -->") and comment == job.summary.read_text()
    # Answer, table of the variants, and rules; none of the pictures, which a comment has no files of.
    assert "**Undecided: int8-static is 2." in comment and "| fp32 |" in comment
    assert "### Gate: pass" in comment and "![" not in comment


def test_a_job_whose_rules_are_broken_ends_with_5_and_one_annotation_for_each(job: Job) -> None:
    (job.folder / "gate.toml").write_text(BROKEN)
    assert job.run("measure", "gate") == 5, job.said
    assert (job.output("verdict"), job.output("exit-code")) == ("fail", "5")
    annotations = [line for line in job.said.splitlines() if line.startswith("::error")]
    assert len(annotations) == 1 and "file=gate.toml,line=6" in annotations[0]
    assert "### Gate: FAIL" in job.summary.read_text()


def test_a_baseline_that_does_not_exist_yet_is_left_out(job: Job) -> None:
    job.inputs["against"] = "baseline"
    assert job.run("measure", "gate") == 0, job.said


def test_without_rules_nothing_is_judged(job: Job) -> None:
    job.inputs["rules"] = ""
    assert job.run("measure", "gate") == 0, job.said
    assert job.output("verdict") == "" and "Gate" not in job.summary.read_text()


def test_inputs_are_words_and_no_commands(job: Job) -> None:
    job.inputs["models"] = "$(touch stolen) `touch stolen` ; touch stolen"
    assert job.run("measure", "gate") in (2, 3), job.said
    assert not (job.folder / "stolen").exists() and not job.summary.exists()


def test_a_wheel_is_installed_and_found_by_the_steps_that_follow(job: Job) -> None:
    wheel = os.environ.get("ONNXPROF_WHEEL")
    if wheel is None:
        pytest.skip("`ONNXPROF_WHEEL` names no wheel: that of `src/packaging/wheel.sh` would do")
    job.inputs["package"] = wheel
    assert job.run("install") == 0, job.said
    assert "onnxprof 0." in job.said
    folder = Path((job.folder / "path").read_text().strip())
    assert (folder / "onnxprof").is_file()
