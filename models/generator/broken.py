"""Fixtures that go wrong: files that do not load, and some that load and then disappoint."""

import re

import numpy as np
from onnx import helper

from .artifact import Artifact
from .graphs import BATCH, model, save, value
from .inputs import one_node
from .operators import conv_milliseconds
from .runtime import expect_shapes, random_floats, run, session

FOLDER = "fixtures/broken"
FUTURE = 999


def truncated(path):
    """The first half of a real model, which ends within a weight."""
    content = conv_milliseconds().SerializeToString(deterministic=True)
    path.write_bytes(content[: len(content) // 2])


def not_onnx(path):
    """Text under a model's name."""
    path.write_text("This is a text file, not a model.\n")


def empty(path):
    """Nothing at all, as a broken download leaves it."""
    path.write_bytes(b"")


def future_opset(path):
    """The standard's operators in a version that does not exist yet."""
    proto = one_node()
    proto.opset_import[0].version = FUTURE
    save(proto, path)


def future_ir(path):
    """A file format in a version that does not exist yet."""
    proto = one_node()
    proto.ir_version = FUTURE
    save(proto, path)


def unknown_operator(path):
    """An operator that the standard does not have."""
    proto = one_node()
    proto.graph.node[0].op_type = "Frobnicate"
    save(proto, path)


def unknown_domain(path):
    """An operator of somebody's own library."""
    proto = one_node()
    proto.graph.node[0].op_type = "Frobnicate"
    proto.graph.node[0].domain = "com.example"
    proto.opset_import.append(helper.make_opsetid("com.example", 1))
    save(proto, path)


def nan_output(path):
    """Logarithms of numbers below zero, whatever the input."""
    nodes = [
        helper.make_node("Abs", ["x"], ["size"]),
        helper.make_node("Sub", ["minus_one", "size"], ["negative"]),
        helper.make_node("Log", ["negative"], ["y"]),
    ]
    arrays = {"minus_one": np.array(-1.0, np.float32)}
    save(model("nan_output", nodes, [value("x", [BATCH, 4])], [value("y", [BATCH, 4])], arrays), path)


def missing_external_data(path):
    """A model whose second file was left behind."""
    path.write_bytes((path.parent.parent / "external-data.onnx").read_bytes())


def hard_coded_batch(path):
    """A model that declares a symbolic batch, but was exported from one image and works with one only."""
    nodes = [helper.make_node("Reshape", ["x", "shape"], ["y"])]
    arrays = {"shape": np.array([1, 2, 2], np.int64)}
    save(model("hard_coded_batch", nodes, [value("x", [BATCH, 4])], [value("y", [BATCH, 2, 2])], arrays), path)


def fails(message):
    """A check that ONNX Runtime refuses the file with a message that matches."""
    return lambda path: expect_error(message, lambda: session(path))


def expect_error(message, action):
    """Asserts that `action` raises, with a message that matches."""
    try:
        action()
    except Exception as error:  # noqa: BLE001 - ONNX Runtime has a type for each of its codes
        assert re.search(message, str(error)), f"fails with: {error}"
        return
    raise AssertionError("does not fail")


def gives_nan(path):
    """The file loads, runs and gives nothing but NaN."""
    assert np.isnan(run(path, {"x": random_floats(1, 2, 4)})["y"]).all()


def takes_one_row_only(path):
    """The file loads, runs with a batch of one and fails with two."""
    expect_shapes(run(path, {"x": random_floats(1, 1, 4)}), {"y": (1, 2, 2)})
    expect_error("cannot be reshaped", lambda: run(path, {"x": random_floats(1, 2, 4)}))


def artifact(name, how, build, check):
    """A file of the folder of broken ones."""
    path = f"{FOLDER}/{name}.onnx"
    return Artifact(path, how, lambda root: build(root / path), lambda root: check(root / path))


ARTIFACTS = [
    artifact("truncated", "the first half of `conv-milliseconds.onnx`",
             truncated, fails("Protobuf parsing failed")),
    artifact("not-onnx", "a line of text", not_onnx, fails("Protobuf parsing failed")),
    artifact("empty", "no bytes", empty, fails("No graph|not have a graph")),
    artifact("future-opset", f"`one-node.onnx` with opset {FUTURE}", future_opset, fails("only .guarantees. support")),
    artifact("future-ir", f"`one-node.onnx` with IR version {FUTURE}", future_ir, fails("Unsupported model IR version")),
    artifact("unknown-operator", "`one-node.onnx` with an operator that ONNX lacks",
             unknown_operator, fails("No Op registered for Frobnicate")),
    artifact("unknown-domain", "`one-node.onnx` with an operator of the domain `com.example`",
             unknown_domain, fails("com.example:Frobnicate.* is not a registered")),
    artifact("missing-external-data", "a copy of `external-data.onnx` without its second file",
             missing_external_data, fails("external-data.bin")),
    artifact("hard-coded-batch", "declares a symbolic batch, but reshapes to a batch of 1: fails when run with more",
             hard_coded_batch, takes_one_row_only),
    artifact("nan-output", "loads and runs, but every output is NaN", nan_output, gives_nan),
]  # fmt: skip
