"""What fuzzing starts from: a few small files of every kind that onnxprof reads.

Models come from the fixtures as well. What onnxprof itself writes is written by it: `ONNXPROF` names the program, without it
that of a release build is taken.
"""

import functools
import io
import json
import os
import subprocess
import tempfile
import time
import tomllib
from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from .artifact import MODELS, Artifact
from .graphs import FLOAT, model, value
from .labels import dense
from .runtime import random_floats

PROGRAM = os.environ.get("ONNXPROF", MODELS.parent / "target/release/onnxprof")
JOURNAL_LINES = 30
TRACE_EVENTS = 60
KERNEL = "6.1.0"


def with_functions():
    """A function within a function, whose attribute refers to the caller's."""
    scaled = helper.make_function(
        "local",
        "Scaled",
        ["x"],
        ["y"],
        [
            helper.make_node("Constant", [], ["factor"], value_float=0.5),
            helper.make_node("Mul", ["x", "factor"], ["y"]),
        ],
        [helper.make_opsetid("", 17)],
    )
    gathered = helper.make_node("Concat", ["z", "z"], ["y"])
    gathered.attribute.append(helper.make_attribute_ref("axis", onnx.AttributeProto.INT))
    twice = helper.make_function(
        "local",
        "Twice",
        ["x"],
        ["y"],
        [helper.make_node("Scaled", ["x"], ["z"], domain="local"), gathered],
        [helper.make_opsetid("", 17), helper.make_opsetid("local", 1)],
        ["axis"],
    )
    node = helper.make_node("Twice", ["x"], ["y"], domain="local", axis=1)
    proto = model("functions", [node], [value("x", ["n", 3])], [value("y", ["n", 6])], domains={"local": 1}, functions=[scaled, twice])
    return proto.SerializeToString(deterministic=True)


def with_sequence():
    """One of the tensors of a sequence, and an optional one beside it."""
    tensor = helper.make_tensor_type_proto(FLOAT, ["rows", 3])
    inputs = [
        helper.make_value_info("several", helper.make_sequence_type_proto(tensor)),
        helper.make_value_info("perhaps", helper.make_optional_type_proto(tensor)),
    ]
    nodes = [
        helper.make_node("Constant", [], ["first"], value_int=0),
        helper.make_node("SequenceAt", ["several", "first"], ["y"]),
        helper.make_node("OptionalHasElement", ["perhaps"], ["is_there"]),
    ]
    outputs = [value("y", ["rows", 3]), value("is_there", [], TensorProto.BOOL)]
    return model("sequence", nodes, inputs, outputs, opset=18).SerializeToString(deterministic=True)


def npy(array, **options):
    """A file of numpy's with one array."""
    content = io.BytesIO()
    np.save(content, array, **options)
    return content.getvalue()


def npz(save=np.savez, **arrays):
    """An archive of numpy's."""
    content = io.BytesIO()
    save(content, **arrays)
    return content.getvalue()


def tensor(array):
    """A tensor as test sets of the standard hold it."""
    return numpy_helper.from_array(array, "x").SerializeToString(deterministic=True)


def sequence(*arrays):
    """A sequence of tensors as test sets of the standard hold it."""
    return numpy_helper.from_list(list(arrays), "several").SerializeToString(deterministic=True)


def typed(element_type, count, content):
    """A tensor of elements that numpy lacks."""
    made = helper.make_tensor("x", element_type, [count], content, raw=True)
    return made.SerializeToString(deterministic=True)


ROWS = random_floats(1, 4, 3)
CLASSES = np.arange(4)

MODELS_MADE = {"functions.onnx": with_functions, "sequence.onnx": with_sequence}

ARRAYS = {
    "npy/rows.npy": lambda: npy(ROWS),
    "npy/columns.npy": lambda: npy(np.asfortranarray(ROWS)),
    "npy/doubles.npy": lambda: npy(ROWS.astype(">f8")),
    "npy/short.npy": lambda: npy(ROWS.astype(np.int16)),
    "npy/words.npy": lambda: npy(np.array([["a", "b", "ccc"]])),
    "npy/fields.npy": lambda: npy(np.zeros(2, [("a", "f4"), ("b", "i8", (2,))])),
    "npy/objects.npy": lambda: npy(np.array([{"a": 1}], object)),
    "npz/labelled.npz": lambda: npz(a=ROWS, labels=CLASSES),
    "npz/packed.npz": lambda: npz(np.savez_compressed, a=ROWS, y=CLASSES.astype(np.float32)),
    "npz/one-hot.npz": lambda: npz(a=ROWS, target=np.eye(4, dtype=np.uint8)),
    "npz/words.npz": lambda: npz(np.savez_compressed, x=ROWS, label=np.array(["ash", "elm", "oak", "ash"])),
    "pb/tensor.pb": lambda: tensor(ROWS),
    "pb/words.pb": lambda: tensor(np.array(["a", "bc"], object)),
    "pb/listed.pb": lambda: helper.make_tensor("x", FLOAT, [2, 3], range(6)).SerializeToString(deterministic=True),
    "pb/int4.pb": lambda: typed(TensorProto.INT4, 3, b"\x21\x03"),
    "pb/float8.pb": lambda: typed(TensorProto.FLOAT8E4M3FN, 3, b"\x01\x02\x7f"),
    "pb/sequence.pb": lambda: sequence(ROWS, ROWS[:1]),
    "pb/optional.pb": lambda: numpy_helper.from_optional(ROWS, "perhaps").SerializeToString(deterministic=True),
    "pb/nothing.pb": lambda: numpy_helper.from_optional(None, "perhaps", dtype=1).SerializeToString(deterministic=True),
}

RULES = """# Budgets
[[rule]]
check = "latency_p99 <= 20 ms"

[[rule]]
check = "throughput >= 0.95 x baseline"
variant = "b"
batch_size = 1

[[rule]]
check = "accuracy_top1 drop <= 0.5 points"

[[rule]]
check = "failed_launches <= 0"
"""

RULES_OF_A_SWEEP = """[[rule]]
check = "peak_memory <= 1.5 GiB"
dims = { seq = 64 }
"""

CONTEXT = """[optimization_overview]
baseline_date = 2026-01-31
system_component = ["a", "b"]

[current_performance_metrics.throughput_metrics]
requests_per_second = 64
"""


class Written:
    """What onnxprof writes, with the names of this machine's folders taken out."""

    def __init__(self, folder):
        self.folder = folder
        # Two variants of one model with labelled data; the second one's weights are moved a little.
        for name, moved in [("a.onnx", 0), ("b.onnx", 1)]:
            proto = dense("classes", 4)
            weights = proto.graph.initializer[0]
            weights.CopyFrom(numpy_helper.from_array(numpy_helper.to_array(weights) + np.float32(moved / 256), weights.name))
            (folder / name).write_bytes(proto.SerializeToString(deterministic=True))
        (folder / "data.npz").write_bytes(npz(a=ROWS, labels=CLASSES))

    def command(self, *words):
        """The command line, in that folder."""
        return [PROGRAM, *words], {"cwd": self.folder, "stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}

    def plain(self, text):
        """The text without this machine's folders and kernel."""
        record = json.loads(next(iter((self.folder / "run").glob("run.json"))).read_text())
        library = Path(record["plan"]["sessions"][0]["runtime"]["library"])
        text = text.replace(str(library.parent), "/lib").replace(str(PROGRAM), "onnxprof").replace(str(self.folder), "/runs")
        return text.replace(record["host"]["kernel"], KERNEL)

    def run(self, name, *words):
        """A run that comes to its end."""
        line, options = self.command(*words, "--out", name)
        subprocess.run(line, check=False, **options)
        return self.plain((self.folder / name / "run.json").read_text())

    def killed(self):
        """The journal of a run that is killed once it holds some lines."""
        line, options = self.command("profile", ".", "--rounds", "1000", "--block", "5ms", "--batch", "1", "--out", "killed")
        with subprocess.Popen(line, **options) as process:
            journal = self.folder / "killed/journal.jsonl"
            while not journal.exists() or journal.read_text().count("\n") < JOURNAL_LINES:
                assert process.poll() is None, "the run ended before it could be killed"
                time.sleep(0.01)
            process.kill()
        return self.plain(journal.read_text())

    def trace(self):
        """The first events of a profile, which ends as one does that was cut off."""
        trace = next((self.folder / "run/traces").iterdir()).read_text()
        return self.plain("\n".join(trace.splitlines()[: TRACE_EVENTS]) + "\n")

    def protocol(self):
        """What a parent and its worker say to each other: every line of both."""
        plan = json.loads((self.folder / "run/run.json").read_text())["plan"]
        session = plan["sessions"][0]
        open_it = {"request": "open", "runtime": session["runtime"], "execution_provider": session["execution_provider"]}
        describe = {"request": "describe", "model": "a.onnx", "inputs": {**plan["inputs"], "data": "data.npz"}, "shapes": plan["shapes"]}
        line, options = self.command("worker")
        options.update(stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        said = []
        with subprocess.Popen(line, **options) as worker:
            said.append(worker.stdout.readline())

            def ask(request):
                worker.stdin.write(json.dumps(request) + "\n")
                worker.stdin.flush()
                said.extend([json.dumps(request) + "\n", worker.stdout.readline()])
                return json.loads(said[-1])

            inputs = ask(describe)["inputs"]
            ask(open_it)
            ask({"request": "load", "model": "a.onnx", "spec": session})
            ask({"request": "begin", "batch_size": 1, "load_mode": plan["load_modes"][0], "inputs": inputs, "limit_ns": 10**9, "known_ns": None})
            ask({"request": "block", "length_ns": 10**6, "min_inferences": 3, "limit_ns": None})
            ask({"request": "idle", "gap_ns": 1000, "count": 2})
            ask({"request": "end"})
            ask({"request": "load", "model": "b.onnx", "spec": session})
            worker.stdin.close()
        return [self.plain(text) for text in said]


@functools.cache
def written():
    """All texts of onnxprof's own, by path."""
    with tempfile.TemporaryDirectory() as folder:
        runs = Written(Path(folder))
        texts = {"record/profiled.json": runs.run("run", "profile", ".", "--rounds", "2", "--block", "5ms", "--batch", "1,2")}
        texts["record/tuned.json"] = runs.run("tuned", "tune", "a.onnx", "--budget", "5s", "--batch", "1,2")
        texts["plan/profiled.json"] = json.dumps(json.loads(texts["record/profiled.json"])["plan"])
        texts["plan/tuned.json"] = json.dumps(json.loads(texts["record/tuned.json"])["plan"])
        texts["journal/killed.jsonl"] = runs.killed()
        texts["trace/profile.json"] = runs.trace()
        said = runs.protocol()
        texts |= {f"protocol/{index:02}.json": text for index, text in enumerate(said)}
        return texts


WRITTEN = {
    **{f"record/{name}.json": "the record of a run" for name in ["profiled", "tuned"]},
    **{f"plan/{name}.json": "the plan in a record" for name in ["profiled", "tuned"]},
    "journal/killed.jsonl": "the journal of a run that was killed",
    "trace/profile.json": "the first events of a profile",
    **{f"protocol/{index:02}.json": "a line between a run and its worker" for index in range(17)},
}


def is_read(path):
    """Raises where the file does not hold what its ending says."""
    content = path.read_bytes()
    match path.suffix:
        case ".onnx":
            onnx.checker.check_model(onnx.load_from_string(content))
        case ".npy" | ".npz":
            np.load(io.BytesIO(content), allow_pickle=True)
        case ".jsonl":
            [json.loads(line) for line in content.splitlines()[:-1]]
        case ".toml":
            tomllib.loads(content.decode())
        case ".json" if "trace" not in path.parts:
            json.loads(content)
        case _:
            assert content


def artifact(name, how, make):
    """A file of the corpus, of bytes or of text."""
    path = f"corpus/{name}"

    def build(root):
        content = make()
        (root / path).write_bytes(content if isinstance(content, bytes) else content.encode())

    return Artifact(path, how, build, lambda root: is_read(root / path))


ARTIFACTS = [
    *(artifact(f"model/{name}", make.__doc__.splitlines()[0].rstrip("."), make) for name, make in MODELS_MADE.items()),
    *(artifact(name, "a few elements", make) for name, make in ARRAYS.items()),
    artifact("rules/budgets.toml", "a rule of every form", lambda: RULES),
    artifact("rules/sweep.toml", "a rule for one size of a dimension", lambda: RULES_OF_A_SWEEP),
    artifact("context/filled-in.toml", "a few keys of the template", lambda: CONTEXT),
    *(artifact(name, how, functools.partial(lambda name: written()[name], name)) for name, how in WRITTEN.items()),
]
