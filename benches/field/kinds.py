"""How many models, as users bring them, are profiled as they come: counted by kind.

    python3 benches/field/kinds.py --onnxprof target/release/onnxprof

Every case of `cases.json` is a model of `models/` with what is right for it: what each input is fed at batch size 1, along which
axis samples lie, what the exit code is, what the answer says. Each is profiled three times: as it is, with inputs, outputs and
dimensions under names that say nothing, and with dimensions that have no names; what is right stays the same, unless the case
says that its names are all that tells. Prints a table of kinds, cases and how many were right, and what is wrong with the others.
What an earlier run of the same version found is kept in the cache, in `probes`. Needs onnx. Exit status: 0, or 1 where fewer than `--least` were right.
"""

import argparse
import json
import pathlib
import re
import subprocess
import sys
import tempfile

import onnx

HERE = pathlib.Path(__file__).parent
MODELS = HERE.parents[1] / "models"
SHORT = ["--rounds", "2", "--block", "5ms", "--batch", "1,2"]
# The ways in which a model is named.
NAMINGS = ("own names", "names that say nothing", "no names")


def main():
    """Returns the exit status."""
    arguments = words()
    cases = json.loads((HERE / "cases.json").read_text())
    rows, wrong = {}, []
    for case in cases:
        if arguments.only and arguments.only not in (case["kind"], case["model"]):
            continue
        for naming in case.get("namings", NAMINGS):
            faults = tried(arguments.onnxprof, case, naming)
            right, count = rows.get(case["kind"], (0, 0))
            rows[case["kind"]] = (right + (not faults), count + 1)
            wrong += [f"{case['model']} ({naming}): {fault}" for fault in faults]
    print("| kind | cases | right |\n|---|---:|---:|")
    for kind, (right, count) in rows.items():
        print(f"| {kind} | {count} | {right} |")
    right, count = (sum(column) for column in zip(*rows.values(), strict=True))
    print(f"| **all** | {count} | {right} |\n" + "\n".join(wrong))
    return 0 if right >= count * arguments.least else 1


def words():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--onnxprof", required=True, help="the built program")
    parser.add_argument("--only", help="one kind or one model")
    parser.add_argument("--least", type=float, default=1.0, help="share of the cases that must be right")
    return parser.parse_args()


def tried(program, case, naming):
    """What is wrong with one case under one naming; nothing, if all is right."""
    with tempfile.TemporaryDirectory() as folder:
        path, names = renamed(MODELS / case["model"], naming, pathlib.Path(folder))
        command = [program, "profile", str(path), *case.get("words", SHORT), "--quiet", "--no-color", "--out", f"{folder}/run"]
        done = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)
        record = pathlib.Path(folder, "run", "run.json")
        run = json.loads(record.read_text()) if record.exists() else None
    faults = []
    if done.returncode != case.get("exit", 0):
        faults.append(f"exit {done.returncode}: {done.stderr.strip()[-300:]}")
    if run and run["variants"][0]["model"]:
        faults += input_faults(case, run, names) + batch_faults(case, run, names)
    text = done.stdout + done.stderr
    faults += [f"does not say `{words}`" for words in case.get("says", []) if not re.search(words, text)]
    return faults


def input_faults(case, run, names):
    """Inputs that are fed another shape at batch size 1, at any of the shapes of the run, or other values."""
    variant = run["variants"][0]
    shapes = variant.get("shape_inputs") or [variant["inputs"]]
    faults = []
    for input_name, expected in case.get("fed", {}).items():
        name = names.get(input_name, input_name)
        found = [fed(inputs, name) for inputs in shapes if inputs]
        if found != (expected if expected and isinstance(expected[0], list) else [expected]):
            faults.append(f"{input_name} is fed {found}, not {expected}")
    for input_name, fill in case.get("values", {}).items():
        name = names.get(input_name, input_name)
        found = [row["fill"] for inputs in shapes for row in inputs if row["name"] == name]
        if fill not in found:
            faults.append(f"values of {input_name} are {found}, not {fill}")
    return faults


def fed(inputs, name):
    """Shape of an input at batch size 1."""
    for row in inputs:
        if row["name"] == name:
            rows = row.get("rows_per_sample", {})
            return [rows.get(str(axis), 1) if size is None else size for axis, size in enumerate(row["dims"])]
    return None


def batch_faults(case, run, names):
    """A batch along other axes, or one that is not proved where it should be."""
    if "batch" not in case:
        return []
    batch = run["variants"][0]["model"]["batch_axis"]
    expected = {names.get(name, name): axis for name, axis in case["batch"].items()}
    if batch["axes"] != expected:
        return [f"the batch is {batch['axes']}, not {expected}"]
    if expected and case.get("proved", True) and batch["proof"] != "proved":
        return [f"the batch is not proved: {batch['proof']}"]
    return []


def renamed(path, naming, folder):
    """The model with other names in `folder`, and the new name of each input."""
    if naming == "own names":
        return path, {}
    model = onnx.load(str(path))
    graph = model.graph
    weights = {tensor.name for tensor in graph.initializer}
    inputs = [value.name for value in graph.input if value.name not in weights]
    new = {name: f"x{index}" for index, name in enumerate(inputs)}
    new |= {value.name: f"y{index}" for index, value in enumerate(graph.output)}
    rename_values(graph, new)
    rename_dims(graph, naming)
    del graph.value_info[:]
    # Beside nothing that could tell.
    copy = folder / "m.onnx"
    onnx.save(model, str(copy))
    return copy, new


def rename_values(graph, new):
    """Renames values of a graph and of those within its nodes."""
    for value in [*graph.input, *graph.output]:
        value.name = new.get(value.name, value.name)
    for node in graph.node:
        node.input[:] = [new.get(name, name) for name in node.input]
        node.output[:] = [new.get(name, name) for name in node.output]
        for attribute in node.attribute:
            for inner in [attribute.g, *attribute.graphs] if attribute.g.node or attribute.graphs else []:
                rename_values(inner, new)


def rename_dims(graph, naming):
    """Gives dimensions names that say nothing, or takes them away."""
    new = {}
    for value in [*graph.input, *graph.output]:
        for dim in value.type.tensor_type.shape.dim:
            if not dim.dim_param:
                continue
            if naming == "no names":
                dim.ClearField("dim_param")
            else:
                dim.dim_param = new.setdefault(dim.dim_param, f"d{len(new)}")


if __name__ == "__main__":
    sys.exit(main())
