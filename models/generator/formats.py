"""Fixtures about how a model is stored: other files beside it, old versions, rare types, other exporters."""

import ml_dtypes
import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper
from skl2onnx import to_onnx
from skl2onnx.common.data_types import FloatTensorType
from sklearn.ensemble import RandomForestClassifier

from .artifact import Artifact, fixture
from .graphs import BATCH, FLOAT, OPSET, model, save, value
from .runtime import expect_shapes, random_floats, run

EXTERNAL = "fixtures/external-data.onnx"
EXTERNAL_WEIGHTS = "fixtures/external-data.bin"
TEST_DATA = "fixtures/onnx-test-data"
TEST_BATCHES = (2, 5)
TREES = 8
CLASSES = 3


def build_external_data(root):
    """A dense layer whose weights lie in a second file."""
    nodes = [helper.make_node("MatMul", ["x", "weight"], ["y"])]
    arrays = {"weight": random_floats(1, 128, 64)}
    proto = model("external_data", nodes, [value("x", [BATCH, 128])], [value("y", [BATCH, 64])], arrays)
    weights = root / EXTERNAL_WEIGHTS
    # `save_model` appends to a file that is there.
    weights.unlink(missing_ok=True)
    onnx.save_model(proto, root / EXTERNAL, save_as_external_data=True, location=weights.name, size_threshold=0)


def check_external_data(root):
    """The weights are found beside the model."""
    expect_shapes(run(root / EXTERNAL, {"x": random_floats(2, 2, 128)}), {"y": (2, 64)})


def old_style():
    """A model of IR version 3, which lists its weights as inputs too."""
    arrays = {
        "weight": random_floats(3, 4, 3, 3, 3),
        "scale": np.ones(4, np.float32),
        "shift": np.zeros(4, np.float32),
        "mean": random_floats(4, 4),
        "variance": np.ones(4, np.float32),
    }
    nodes = [
        helper.make_node("Conv", ["data", "weight"], ["conv"], kernel_shape=[3, 3], pads=[1, 1, 1, 1]),
        helper.make_node("BatchNormalization", ["conv", "scale", "shift", "mean", "variance"], ["normalized"]),
        helper.make_node("Relu", ["normalized"], ["features"]),
    ]
    inputs = [value("data", [1, 3, 8, 8]), *(value(name, array.shape) for name, array in arrays.items())]
    return model("old_style", nodes, inputs, [value("features", [1, 4, 8, 8])], arrays, opset=8, ir_version=3)


def bfloat16():
    """A dense layer stored in bfloat16 and computed in float32."""
    nodes = [
        helper.make_node("Cast", ["x"], ["x_short"], to=TensorProto.BFLOAT16),
        helper.make_node("Cast", ["x_short"], ["x_rounded"], to=FLOAT),
        helper.make_node("Cast", ["weight"], ["weight_wide"], to=FLOAT),
        helper.make_node("MatMul", ["x_rounded", "weight_wide"], ["y"]),
    ]
    arrays = {"weight": random_floats(5, 16, 4).astype(ml_dtypes.bfloat16)}
    return model("bfloat16", nodes, [value("x", [BATCH, 16])], [value("y", [BATCH, 4])], arrays)


def forest(class_names):
    """A random forest on made-up points, converted with its label and its sequence of maps."""
    points = random_floats(6, 90, 4)
    classes = np.array(class_names)[np.arange(90) % CLASSES]
    classifier = RandomForestClassifier(TREES, max_depth=4, random_state=0).fit(points, classes)
    proto = to_onnx(
        classifier,
        name="forest",
        initial_types=[("features", FloatTensorType([None, 4]))],
        target_opset={"": OPSET, "ai.onnx.ml": 3},
    )
    # The converter lists them in the order of a set.
    proto.opset_import.sort(key=lambda opset: opset.domain)
    return proto


def build_test_data_folder(root):
    """A model with two data sets, in the layout of the ONNX standard's own tests."""
    weight = random_floats(7, 3, 4)
    nodes = [helper.make_node("MatMul", ["x", "weight"], ["product"]), helper.make_node("Relu", ["product"], ["y"])]
    inputs, outputs = [value("x", [BATCH, 3])], [value("y", [BATCH, 4])]
    save(model("with_test_data", nodes, inputs, outputs, {"weight": weight}), root / TEST_DATA / "model.onnx")
    for index, batch in enumerate(TEST_BATCHES):
        # Products of whole numbers over 128 are exact in float32, in whatever order they are added.
        x = random_floats(8 + index, batch, 3)
        folder = root / TEST_DATA / f"test_data_set_{index}"
        save(numpy_helper.from_array(x, "x"), folder / "input_0.pb")
        save(numpy_helper.from_array(np.maximum(x @ weight, 0.0), "y"), folder / "output_0.pb")


def check_test_data_folder(root):
    """ONNX Runtime gives the stored outputs, bit for bit."""
    for index in range(len(TEST_BATCHES)):
        folder = root / TEST_DATA / f"test_data_set_{index}"
        x, y = (numpy_helper.to_array(onnx.load_tensor(folder / f"{side}_0.pb")) for side in ("input", "output"))
        assert np.array_equal(run(root / TEST_DATA / "model.onnx", {"x": x})["y"], y)


def test_data_files():
    """The data sets' files and how each was made."""
    files = {}
    for index, batch in enumerate(TEST_BATCHES):
        for side, name in (("input", "x"), ("output", "y")):
            path = f"{TEST_DATA}/test_data_set_{index}/{side}_0.pb"
            files[path] = f"`{name}` for a batch of {batch}, a `TensorProto`; exact in float32"
    return files


FOREST_FEEDS = {"features": random_floats(10, 5, 4)}
FOREST_SHAPES = {"output_label": (5,), "output_probability": (5,)}
ARTIFACTS = [
    Artifact(EXTERNAL, "a dense layer, weights in a file beside it; random weights", build_external_data,
             check_external_data, {EXTERNAL_WEIGHTS: "the weights of `external-data.onnx`"}),
    fixture("ir3-initializers-as-inputs", "IR version 3, opset 8, weights listed as graph inputs; random weights",
            old_style, {"data": random_floats(11, 1, 3, 8, 8)}, {"features": (1, 4, 8, 8)}),
    fixture("bf16", "a bfloat16 weight between casts; random weights",
            bfloat16, {"x": random_floats(12, 2, 16)}, {"y": (2, 4)}),
    fixture("sklearn-classifier", "scikit-learn random forest on made-up points through `skl2onnx`: "
            "a label and a sequence of maps from int64 to float", lambda: forest([0, 1, 2]), FOREST_FEEDS, FOREST_SHAPES),
    fixture("sklearn-string-labels", "the same with string labels, so maps from string to float",
            lambda: forest(["ant", "bee", "cow"]), FOREST_FEEDS, FOREST_SHAPES),
    Artifact(f"{TEST_DATA}/model.onnx", "a dense layer with test data as the ONNX standard lays it out; random weights",
             build_test_data_folder, check_test_data_folder, test_data_files()),
]  # fmt: skip
