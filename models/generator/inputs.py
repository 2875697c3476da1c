"""Fixtures about inputs and outputs: ranks, types, fixed and symbolic sizes, and indices with a range."""

import numpy as np
from onnx import TensorProto, helper, numpy_helper

from .artifact import fixture
from .graphs import BATCH, FLOAT, INT64, model, value
from .runtime import random_floats

HALF = TensorProto.FLOAT16
BOOL = TensorProto.BOOL
DOUBLE = TensorProto.DOUBLE
INT32 = TensorProto.INT32
UINT8 = TensorProto.UINT8
STRING = TensorProto.STRING
CATEGORIES = 7
SLOTS = 5
TOKENS = 11


def one_node():
    """A single Relu."""
    return model("one_node", [helper.make_node("Relu", ["x"], ["y"])], [value("x", [BATCH, 4])], [value("y", [BATCH, 4])])


def fixed_batch():
    """A dense layer whose batch is always four."""
    nodes = [helper.make_node("Gemm", ["x", "weight", "bias"], ["y"])]
    arrays = {"weight": random_floats(1, 8, 3), "bias": random_floats(2, 3)}
    return model("fixed_batch", nodes, [value("x", [4, 8])], [value("y", [4, 3])], arrays)


def scalar_input():
    """Softmax with a temperature, which has no dimensions."""
    nodes = [
        helper.make_node("Div", ["x", "temperature"], ["cooled"]),
        helper.make_node("Softmax", ["cooled"], ["shares"], axis=-1),
    ]
    inputs = [value("x", [BATCH, 4]), value("temperature", [])]
    return model("scalar_input", nodes, inputs, [value("shares", [BATCH, 4])])


def mixed_types():
    """Six inputs of six types, each through an operator of its own."""
    shape = [BATCH, 3]
    nodes = [
        helper.make_node("Cast", ["half"], ["half_wide"], to=FLOAT),
        helper.make_node("Relu", ["half_wide"], ["half_positive"]),
        helper.make_node("Cast", ["half_positive"], ["half_out"], to=HALF),
        helper.make_node("Not", ["flag"], ["flag_out"]),
        helper.make_node("Add", ["precise", "tenth"], ["precise_out"]),
        helper.make_node("Mul", ["count", "three"], ["count_out"]),
        helper.make_node("Clip", ["byte", "floor"], ["byte_out"]),
        helper.make_node("Where", ["flag", "word", "hidden"], ["word_out"]),
    ]
    types = {"half": HALF, "flag": BOOL, "precise": DOUBLE, "count": INT32, "byte": UINT8, "word": STRING}
    arrays = {
        "tenth": np.float64(0.1),
        "three": np.int32(3),
        "floor": np.uint8(16),
        "hidden": np.array("hidden", dtype=object),
    }
    inputs = [value(name, shape, element_type) for name, element_type in types.items()]
    outputs = [value(f"{name}_out", shape, element_type) for name, element_type in types.items()]
    return model("mixed_types", nodes, inputs, outputs, {name: np.asarray(array) for name, array in arrays.items()})


MIXED_FEEDS = {
    "half": random_floats(3, 2, 3).astype(np.float16),
    "flag": np.array([[True, False, True], [False, False, True]]),
    "precise": random_floats(4, 2, 3).astype(np.float64),
    "count": np.arange(6, dtype=np.int32).reshape(2, 3),
    "byte": np.arange(0, 60, 10, dtype=np.uint8).reshape(2, 3),
    "word": np.array([["one", "two", "three"], ["four", "five", ""]], dtype=object),
}


def index_ops():
    """Integer inputs that end as indices: into seven classes, five slots and, one up, eleven table rows."""
    arrays = {
        "depth": np.array(CATEGORIES, np.int32),
        "off_on": np.array([0.0, 1.0], np.float32),
        "one": np.array(1, np.int64),
        "zero": np.array(0, np.int64),
        "flat": np.array([-1], np.int64),
        "width": np.array([8], np.int64),
        "last_axis": np.array([-1], np.int64),
        "table": random_floats(5, TOKENS, 8),
    }
    inputs = [
        value("category", [BATCH], INT64),
        value("slot", [BATCH, 1], INT64),
        value("row", [BATCH, SLOTS]),
        value("token", [BATCH, "sequence"], INT64),
        value("lengths", [BATCH], INT32),
    ]
    outputs = [
        value("one_hot", [BATCH, CATEGORIES]),
        value("scattered", [BATCH, SLOTS]),
        value("embedded", [BATCH, "sequence", 8]),
    ]
    return model("index_ops", [*one_hot(), *scatter(), *embed(), *mask()], inputs, outputs, arrays)


def one_hot():
    """`category` through a cast into a one-hot row."""
    return [
        helper.make_node("Cast", ["category"], ["category_narrow"], to=INT32),
        helper.make_node("OneHot", ["category_narrow", "depth", "off_on"], ["one_hot"], axis=-1),
    ]


def scatter():
    """A one, written into `row` at `slot`."""
    one = numpy_helper.from_array(np.array([1.0], np.float32))
    return [
        helper.make_node("Shape", ["slot"], ["slot_shape"]),
        helper.make_node("ConstantOfShape", ["slot_shape"], ["update"], value=one),
        helper.make_node("ScatterElements", ["row", "slot", "update"], ["scattered"], axis=1),
    ]


def embed():
    """`token` one up, flattened, looked up in the table and put back in shape."""
    return [
        helper.make_node("Add", ["token", "one"], ["token_up"]),
        helper.make_node("Reshape", ["token_up", "flat"], ["token_flat"]),
        helper.make_node("Gather", ["table", "token_flat"], ["looked_up"], axis=0),
        helper.make_node("Shape", ["token"], ["token_shape"]),
        helper.make_node("Concat", ["token_shape", "width"], ["embedded_shape"], axis=0),
        helper.make_node("Reshape", ["looked_up", "embedded_shape"], ["unmasked"]),
    ]


def mask():
    """Zeros in `embedded` from each row's length on."""
    return [
        helper.make_node("Gather", ["token_shape", "one"], ["sequence_length"], axis=0),
        helper.make_node("Range", ["zero", "sequence_length", "one"], ["places_wide"]),
        helper.make_node("Cast", ["places_wide"], ["places"], to=INT32),
        helper.make_node("Unsqueeze", ["lengths", "last_axis"], ["limits"]),
        helper.make_node("Less", ["places", "limits"], ["inside"]),
        helper.make_node("Cast", ["inside"], ["inside_float"], to=FLOAT),
        helper.make_node("Unsqueeze", ["inside_float", "last_axis"], ["inside_wide"]),
        helper.make_node("Mul", ["unmasked", "inside_wide"], ["embedded"]),
    ]


INDEX_FEEDS = {
    "category": np.array([0, CATEGORIES - 1], np.int64),
    "slot": np.array([[0], [SLOTS - 1]], np.int64),
    "row": random_floats(6, 2, SLOTS),
    "token": np.array([[0, 1, 2], [TOKENS - 2, 4, 3]], np.int64),
    "lengths": np.array([3, 1], np.int32),
}
ARTIFACTS = [
    fixture("one-node", "a single Relu; for measuring the profiler's own cost",
            one_node, {"x": random_floats(7, 2, 4)}, {"y": (2, 4)}),
    fixture("fixed-batch", "a dense layer with a batch fixed at 4; random weights",
            fixed_batch, {"x": random_floats(8, 4, 8)}, {"y": (4, 3)}),
    fixture("scalar-input", "softmax with an input of rank 0",
            scalar_input, {"x": random_floats(9, 2, 4), "temperature": np.array(2.0, np.float32)}, {"shares": (2, 4)}),
    fixture("mixed-types", "float16, bool, double, int32, uint8 and string inputs and outputs",
            mixed_types, MIXED_FEEDS, {f"{name}_out": (2, 3) for name in MIXED_FEEDS}),
    fixture("index-ops", "integer inputs that reach OneHot (depth 7), ScatterElements (5 slots) and Gather "
            "(11 rows, index one up), and `lengths`; random table", index_ops, INDEX_FEEDS,
            {"one_hot": (2, CATEGORIES), "scattered": (2, SLOTS), "embedded": (2, 3, 8)}),
]  # fmt: skip
