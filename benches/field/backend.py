"""How many of the ONNX standard's own test models are profiled as they come, and what becomes of the others.

    python3 benches/field/backend.py --onnxprof target/release/onnxprof --folders simple,pytorch-converted,pytorch-operator,real,light
    python3 benches/field/backend.py --onnxprof target/release/onnxprof --data .../onnx/backend/test/data --folders node --draw 400

Takes the folders of `onnx/backend/test/data` in the installed `onnx` package, or those below `--data`; of their models the first
`--limit` by name, or `--draw` many by `--seed`. Runs `profile --rounds 2 --block 5ms` on each with the build of ONNX Runtime whose
Python package is installed. What is not profiled is repeated with that package, data included. Prints how many were profiled; how
many were refused in the words in which the package refuses them; in how many the two differ; and how many neither happened to,
with what was said of each. Needs onnx, onnxruntime and numpy. Exit status: 0, or 1 where fewer than `--least` were profiled or,
with `--strict`, where anything but a refusal in the same words kept a model from it.
"""

import argparse
import collections
import concurrent.futures
import json
import pathlib
import random
import re
import subprocess
import sys
import tempfile

import onnxruntime

SAME, OTHER = "refused in the same words", "refused in other words"


def main():
    """Returns the exit status."""
    arguments = words()
    data = pathlib.Path(arguments.data) if arguments.data else installed_data()
    cases = [case for folder in arguments.folders.split(",") for case in models(data / folder)]
    cases = chosen(cases, arguments)
    with concurrent.futures.ThreadPoolExecutor(arguments.jobs) as pool:
        found = list(pool.map(lambda case: (case[0], *profiled(arguments, case[1])), cases))
    outcomes = collections.defaultdict(list)
    for name, outcome, reason in found:
        outcomes[outcome].append((name, reason))
    for outcome, those in sorted(outcomes.items()):
        print(f"{outcome}: {len(those)} of {len(cases)}")
    for outcome in (OTHER, "neither") + ((SAME,) if arguments.refusals else ()):
        for name, reason in outcomes[outcome]:
            print(f"  {name}: {reason}")
    is_fine = not (arguments.strict and (outcomes[OTHER] or outcomes["neither"]))
    return 0 if len(outcomes["profiled"]) >= arguments.least and is_fine else 1


def words():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--onnxprof", required=True, help="the built program")
    parser.add_argument("--data", help="folder that holds the folders, instead of the installed package's")
    parser.add_argument("--folders", default="simple,pytorch-converted,pytorch-operator,real")
    parser.add_argument("--limit", type=int, help="the first so many models alone")
    parser.add_argument("--draw", type=int, help="so many models, drawn without replacement")
    parser.add_argument("--seed", type=int, default=1, help="seed of the draw")
    parser.add_argument("--only", help="models whose name matches this pattern")
    parser.add_argument("--jobs", type=int, default=1, help="models at a time; more than one disturb each other's figures")
    parser.add_argument("--least", type=int, default=0, help="how many must be profiled")
    parser.add_argument("--strict", action="store_true", help="fail where a model is neither profiled nor refused in the same words")
    parser.add_argument("--refusals", action="store_true", help="list refusals in the same words, too")
    return parser.parse_args()


def installed_data():
    """The test models that come with the `onnx` package."""
    import onnx

    return pathlib.Path(onnx.__file__).parent / "backend" / "test" / "data"


def models(folder):
    """Name and path of every model of a folder: `NAME/model.onnx`, or `NAME.onnx`."""
    nested = [(path.parent.name, path) for path in sorted(folder.glob("*/model.onnx"))]
    return nested + [(path.stem, path) for path in sorted(folder.glob("*.onnx"))]


def chosen(cases, arguments):
    """The models that were asked for, in the order of their names."""
    if arguments.only:
        cases = [case for case in cases if re.search(arguments.only, case[0])]
    if arguments.draw:
        drawn = random.Random(arguments.seed).sample(range(len(cases)), min(arguments.draw, len(cases)))
        cases = [cases[place] for place in sorted(drawn)]
    return cases[: arguments.limit] if arguments.limit else cases


def profiled(arguments, path):
    """What became of a model, and why it was not profiled."""
    with tempfile.TemporaryDirectory() as folder:
        command = [arguments.onnxprof, "profile", str(path), "--rounds", "2", "--block", "5ms", "--quiet"]
        command += ["--runtime", f"cpu@{onnxruntime.__version__}", "--out", f"{folder}/run"]
        try:
            done = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)
        except subprocess.TimeoutExpired:
            return "neither", "no end within 300 s"
    if done.returncode == 0:
        return "profiled", ""
    lines = [line.strip() for line in done.stderr.splitlines() if line.strip()]
    ours, theirs = " | ".join(lines)[:400], refusal(path)
    if theirs is None:
        return "neither", f"exit {done.returncode}: {ours}"
    is_same = any(says(line, theirs) for line in lines)
    return (SAME if is_same else OTHER), f"exit {done.returncode}: {ours} || package: {' '.join(theirs.split())[:300]}"


def says(line, theirs):
    """Whether a line of ours says what the package says: its words in their order, places in sources left out."""
    line = re.sub(r"^(error|caused by): ", "", line)
    line = re.sub(r"^(failed to load model|inference failed|failed to run)[^:]*: ", "", line)
    ours, theirs = line.split(), iter(theirs.split())
    return len(ours) >= 4 and all(any(word in other for other in theirs) for word in ours)


def refusal(path):
    """What the Python package says when it refuses to load a model or to run its test data; none where it does not.

    In a process of its own: one model in a thousand takes the process with it.
    """
    command = [sys.executable, str(pathlib.Path(__file__).with_name("arguments.py")), str(path)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)
    try:
        return json.loads(done.stdout.splitlines()[-1])
    except (IndexError, ValueError):
        return f"the package ends with {done.returncode}: {done.stderr[-300:]}"


if __name__ == "__main__":
    sys.exit(main())
