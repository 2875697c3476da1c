"""Fixtures about the forms in which a model lies around: ONNX Runtime's own format."""

import tempfile
from pathlib import Path

import onnxruntime as ort
from onnx import TensorProto, helper

from .artifact import Artifact
from .graphs import model, save, value
from .runtime import expect_shapes, random_floats, run

ORT_FORMAT = "fixtures/ort-format.ort"
ROWS = "rows"


def gauge():
    """A dense layer, and a branch that depends on the sum of its inputs."""
    level = value("level", [ROWS, 6])
    then = helper.make_graph([helper.make_node("Relu", ["dense"], ["level"])], "then", [], [level])
    other = helper.make_graph([helper.make_node("Sub", ["dense", "offset"], ["level"])], "other", [], [level])
    nodes = [
        helper.make_node("MatMul", ["readings", "weight"], ["product"]),
        helper.make_node("Add", ["product", "offset"], ["dense"]),
        helper.make_node("ReduceSum", ["readings"], ["sum"], keepdims=0),
        helper.make_node("Cast", ["sum"], ["is_any"], to=TensorProto.BOOL),
        helper.make_node("If", ["is_any"], ["level"], then_branch=then, else_branch=other),
    ]
    arrays = {"weight": random_floats(41, 24, 6), "offset": random_floats(42, 6)}
    return model("gauge", nodes, [value("readings", [ROWS, 24])], [level], arrays)


def build_ort_format(root):
    """Lets ONNX Runtime optimize the model and save it in its own format."""
    with tempfile.TemporaryDirectory() as folder:
        source = Path(folder) / "gauge.onnx"
        save(gauge(), source)
        options = ort.SessionOptions()
        options.graph_optimization_level = ort.GraphOptimizationLevel.ORT_ENABLE_EXTENDED
        options.optimized_model_filepath = str(root / ORT_FORMAT)
        options.add_session_config_entry("session.save_model_format", "ORT")
        ort.InferenceSession(str(source), options, providers=["CPUExecutionProvider"])


def check_ort_format(root):
    """ONNX Runtime loads its own format."""
    expect_shapes(run(root / ORT_FORMAT, {"readings": random_floats(43, 2, 24)}), {"level": (2, 6)})


ARTIFACTS = [
    Artifact(
        ORT_FORMAT,
        "a dense layer and a branch, optimized and saved in ONNX Runtime's own format",
        build=build_ort_format,
        check=check_ort_format,
    )
]
