"""How many of the ONNX standard's own test models are profiled as they come, and what becomes of the others.

    python3 benches/field/backend.py --onnxprof target/release/onnxprof --folders simple,pytorch-converted,pytorch-operator,real,light

Takes the folders of `onnx/backend/test/data` in the installed `onnx` package, or those below `--data`; runs `profile --rounds 2
--block 5ms` on each model, and prints how many were profiled, refused by ONNX Runtime itself (its Python session refuses them
too, or the same load fails), or neither, with the first line of each error. Needs onnx, onnxruntime and numpy. Exit status: 0,
or 1 where fewer than `--least` were profiled.
"""

import argparse
import collections
import pathlib
import subprocess
import sys
import tempfile


def main():
    """Returns the exit status."""
    arguments = words()
    data = pathlib.Path(arguments.data) if arguments.data else installed_data()
    cases = [case for folder in arguments.folders.split(",") for case in models(data / folder)]
    if arguments.limit:
        cases = cases[: arguments.limit]
    outcomes = collections.defaultdict(list)
    for name, path in cases:
        outcome, reason = profiled(arguments, path)
        outcomes[outcome].append((name, reason))
    for outcome, found in sorted(outcomes.items()):
        print(f"{outcome}: {len(found)} of {len(cases)}")
    for name, reason in outcomes["neither"]:
        print(f"  {name}: {reason}")
    return 0 if len(outcomes["profiled"]) >= arguments.least else 1


def words():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--onnxprof", required=True, help="the built program")
    parser.add_argument("--data", help="folder that holds the folders, instead of the installed package's")
    parser.add_argument("--folders", default="simple,pytorch-converted,pytorch-operator,real")
    parser.add_argument("--limit", type=int, help="the first so many models alone")
    parser.add_argument("--least", type=int, default=0, help="how many must be profiled")
    return parser.parse_args()


def installed_data():
    """The test models that come with the `onnx` package."""
    import onnx

    return pathlib.Path(onnx.__file__).parent / "backend" / "test" / "data"


def models(folder):
    """Name and path of every model of a folder: `NAME/model.onnx`, or `NAME.onnx`."""
    nested = [(path.parent.name, path) for path in sorted(folder.glob("*/model.onnx"))]
    return nested + [(path.stem, path) for path in sorted(folder.glob("*.onnx"))]


def profiled(arguments, path):
    """`profiled`, `refused by ONNX Runtime` or `neither`, and why not."""
    with tempfile.TemporaryDirectory() as folder:
        command = [arguments.onnxprof, "profile", str(path), "--rounds", "2", "--block", "5ms", "--quiet"]
        try:
            done = subprocess.run([*command, "--out", f"{folder}/run"], capture_output=True, text=True, timeout=300, check=False)
        except subprocess.TimeoutExpired:
            return "neither", "no end within 300 s"
    if done.returncode == 0:
        return "profiled", ""
    lines = [line for line in done.stderr.splitlines() if line.strip()]
    reason = " | ".join(lines)[:300]
    return ("refused by ONNX Runtime" if refuses(path) else "neither"), f"exit {done.returncode}: {reason}"


def refuses(path):
    """Whether a Python session refuses to load the model, too."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.log_severity_level = 4
    try:
        onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    except Exception:  # noqa: BLE001 - whatever a session raises is a refusal
        return True
    return False


if __name__ == "__main__":
    sys.exit(main())
