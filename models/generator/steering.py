"""Fixtures whose inputs decide how much is computed, each also with inputs and dimensions whose names say nothing."""

import numpy as np
import onnx
from onnx import TensorProto, helper

from .artifact import fixture
from .graphs import BATCH, FLOAT, INT64, model, value
from .runtime import random_floats

BOOL = TensorProto.BOOL
STRING = TensorProto.STRING
WIDTH = 8
FRAMES = "frames"


def node(operator, inputs, output, **attributes):
    """A node with one output."""
    return helper.make_node(operator, inputs, [output], **attributes)


def ignored():
    """Attention in which true means: leave this place out."""
    nodes = [
        node("MatMul", ["notes", "to_query"], "query"),
        node("MatMul", ["notes", "to_key"], "key"),
        node("Transpose", ["key"], "turned", perm=[0, 2, 1]),
        node("MatMul", ["query", "turned"], "scores"),
        node("Unsqueeze", ["blank", "one"], "blank_wide"),
        node("Where", ["blank_wide", "least", "scores"], "kept"),
        node("Softmax", ["kept"], "shares", axis=-1),
        node("MatMul", ["shares", "notes"], "mixed"),
    ]
    arrays = {
        "to_query": random_floats(101, WIDTH, WIDTH),
        "to_key": random_floats(102, WIDTH, WIDTH),
        "one": np.array([1], np.int64),
        "least": np.float32(-np.inf),
    }
    inputs = [value("notes", [BATCH, "bars", WIDTH]), value("blank", [BATCH, "bars"], BOOL)]
    arrays = {name: np.asarray(array) for name, array in arrays.items()}
    return model("ignored", nodes, inputs, [value("mixed", [BATCH, "bars", WIDTH])], arrays)


def counted():
    """Frames of a sound, halved by a convolution, of which as many count as the second input says."""
    nodes = [
        node("Conv", ["mel", "kernel"], "halved", strides=[2], pads=[1, 1]),
        node("Shape", ["halved"], "sizes"),
        node("Gather", ["sizes", "two"], "steps", axis=0),
        node("Range", ["zero", "steps", "one"], "places"),
        node("Div", ["valid", "two"], "valid_halved"),
        node("Unsqueeze", ["valid_halved", "last"], "limits"),
        node("Less", ["places", "limits"], "inside"),
        node("Unsqueeze", ["inside", "middle"], "inside_wide"),
        node("Where", ["inside_wide", "halved", "nothing"], "encoded"),
    ]
    arrays = {
        "kernel": random_floats(103, WIDTH, 20, 3),
        "zero": np.array(0, np.int64),
        "one": np.array(1, np.int64),
        "two": np.array(2, np.int64),
        "last": np.array([-1], np.int64),
        "middle": np.array([1], np.int64),
        "nothing": np.array(0, np.float32),
    }
    inputs = [value("mel", [BATCH, 20, FRAMES]), value("valid", [BATCH], INT64)]
    return model("counted", nodes, inputs, [value("encoded", [BATCH, WIDTH, "half"])], arrays)


def scaled():
    """A signal that is repeated by how long a letter lasts: as a factor says, which is never 0."""
    nodes = [
        node("Gather", ["letters", "text"], "durations"),
        node("Gather", ["settings", "zero"], "speed"),
        node("Gather", ["settings", "one"], "noise_level"),
        node("RandomNormalLike", ["durations"], "noise", seed=1.0),
        node("Mul", ["noise", "noise_level"], "noise_scaled"),
        node("Add", ["durations", "noise_scaled"], "varied"),
        node("Mul", ["varied", "speed"], "lasting"),
        node("ReduceSum", ["lasting"], "whole", keepdims=0),
        node("Cast", ["whole"], "steps", to=INT64),
        node("Range", ["zero", "steps", "one"], "places"),
        node("Cast", ["places"], "wave", to=FLOAT),
    ]
    arrays = {
        "letters": np.abs(random_floats(104, 30)) + 1,
        "zero": np.array(0, np.int64),
        "one": np.array(1, np.int64),
    }
    inputs = [value("text", [1, "letters_count"], INT64), value("settings", [2])]
    return model("scaled", nodes, inputs, [value("wave", ["time"])], arrays)


def encoder(source, output, words):
    """One column of words that must be known."""
    return node("OneHotEncoder", [source], output, domain="ai.onnx.ml", cats_strings=words, zeros=0)


def columns():
    """Two columns of words in one input, each with categories of its own that must be known."""
    nodes = [
        node("ArrayFeatureExtractor", ["garment", "zero"], "first", domain="ai.onnx.ml"),
        node("ArrayFeatureExtractor", ["garment", "one"], "second", domain="ai.onnx.ml"),
        encoder("first", "colour_wide", ["red", "green", "blue"]),
        encoder("second", "size_wide", ["small", "large"]),
        node("Concat", ["colour_wide", "size_wide"], "joined", axis=-1),
        node("Reshape", ["joined", "flat"], "rows"),
        node("MatMul", ["rows", "weight"], "price"),
    ]
    arrays = {
        "zero": np.array([0], np.int64),
        "one": np.array([1], np.int64),
        "flat": np.array([-1, 5], np.int64),
        "weight": random_floats(105, 5, 1),
    }
    inputs = [value("garment", [BATCH, 2], STRING)]
    return model("columns", nodes, inputs, [value("price", [BATCH, 1])], arrays, domains={"ai.onnx.ml": 3})


def branch(name, output, nodes):
    """A branch of an If."""
    return helper.make_graph(nodes, name, [], [helper.make_tensor_value_info(output, FLOAT, None)])


def rated():
    """A sound of one of two rates: another network for each."""
    fast = branch("fast", "of_fast", [node("Mul", ["sound", "loud"], "of_fast")])
    slow = branch("slow", "of_slow", [node("Neg", ["sound"], "of_slow")])
    nodes = [
        node("Equal", ["hertz", "wide"], "is_wide"),
        node("If", ["is_wide"], "heard", then_branch=fast, else_branch=slow),
    ]
    arrays = {"wide": np.array(16_000, np.int64), "loud": np.array(2, np.float32)}
    inputs = [value("sound", [BATCH, 64]), value("hertz", [], INT64)]
    return model("rated", nodes, inputs, [value("heard", [BATCH, 64])], arrays)


def anonymous(proto):
    """The same model, its inputs called x0, x1 ... and its dimensions d0, d1 ..."""
    graph = proto.graph
    names = {info.name: f"x{index}" for index, info in enumerate(graph.input)}
    dims = {}
    for info in [*graph.input, *graph.output]:
        for dim in info.type.tensor_type.shape.dim:
            if dim.dim_param:
                dim.dim_param = dims.setdefault(dim.dim_param, f"d{len(dims)}")
    for info in graph.input:
        info.name = names[info.name]
    rename(graph, names)
    onnx.checker.check_model(proto, full_check=True)
    return proto


def rename(graph, names):
    """Renames what nodes read, those of inner graphs too."""
    for each in graph.node:
        each.input[:] = [names.get(name, name) for name in each.input]
        for attribute in each.attribute:
            if attribute.HasField("g"):
                rename(attribute.g, names)


def pair(name, how, make, feeds, shapes):
    """The fixture and its twin whose names say nothing."""
    turned = {f"x{index}": array for index, array in enumerate(feeds.values())}
    return [
        fixture(f"steering/{name}", how, make, feeds, shapes),
        fixture(f"steering/{name}-anonymous", f"{name} with names that say nothing", lambda: anonymous(make()), turned, shapes),
    ]


def words(*rows):
    """Rows of strings."""
    return np.array(rows, dtype=object)


SCALED_FEEDS = {"text": np.array([[3, 4, 5]], np.int64), "settings": np.array([1, 0], np.float32)}
SCALED_TIME = int((np.abs(random_floats(104, 30)) + 1)[[3, 4, 5]].sum())
ARTIFACTS = [
    *pair("ignored", "attention with a mask in which true leaves out", ignored,
          {"notes": random_floats(106, 2, 5, WIDTH), "blank": np.zeros((2, 5), bool)}, {"mixed": (2, 5, WIDTH)}),
    *pair("counted", "halved frames, and how many of the frames count", counted,
          {"mel": random_floats(107, 2, 20, 10), "valid": np.array([10, 6], np.int64)}, {"encoded": (2, WIDTH, 5)}),
    *pair("scaled", "an output whose length is scaled by an input", scaled, SCALED_FEEDS, {"wave": (SCALED_TIME,)}),
    *pair("columns", "two columns of words that encoders must know", columns,
          {"garment": words(["red", "large"], ["blue", "small"])}, {"price": (2, 1)}),
    *pair("rated", "a branch chosen by a sampling rate", rated,
          {"sound": random_floats(108, 2, 64), "hertz": np.array(16_000, np.int64)}, {"heard": (2, 64)}),
]  # fmt: skip
