"""Models whose outputs take labels of every form; the names of inputs, outputs and dimensions say nothing."""

import numpy as np
from onnx import TensorProto, helper

from .artifact import fixture
from .graphs import FLOAT, INT64, model, value
from .runtime import random_floats

WORDS = ["ash", "elm", "oak"]


def dense(name, outputs, last=None):
    """One product, and at most one more operator."""
    nodes = [helper.make_node("MatMul", ["a", "w"], ["m" if last else "b"])]
    nodes += [helper.make_node(last, ["m"], ["b"])] if last else []
    return model(name, nodes, [value("a", ["d0", 3])], [value("b", ["d0", outputs])], {"w": random_floats(1, 3, outputs)})


def tokens():
    """A score of each of three classes for every token."""
    nodes = [helper.make_node("Gather", ["t", "a"], ["b"])]
    return model(
        "tokens", nodes, [value("a", ["d0", "d1"], INT64)], [value("b", ["d0", "d1", 3])], {"t": random_floats(2, 20, 3)}
    )


def pixels():
    """A score of each of three classes for every pixel, the classes second."""
    nodes = [helper.make_node("Conv", ["a", "w"], ["b"])]
    arrays = {"w": random_floats(3, 3, 2, 1, 1)}
    return model("pixels", nodes, [value("a", ["d0", 2, "d1", "d2"])], [value("b", ["d0", 3, "d1", "d2"])], arrays)


def words():
    """The class as a word, and a score for each."""
    coefficients = random_floats(4, 9).tolist()
    node = helper.make_node(
        "LinearClassifier",
        ["a"],
        ["b", "c"],
        domain="ai.onnx.ml",
        classlabels_strings=WORDS,
        coefficients=coefficients,
        intercepts=[0.0, 0.0, 0.0],
        multi_class=0,
        post_transform="SOFTMAX",
    )
    outputs = [value("b", ["d0"], TensorProto.STRING), value("c", ["d0", 3], FLOAT)]
    return model("words", [node], [value("a", ["d0", 3])], outputs, domains={"ai.onnx.ml": 3})


ROWS = {"a": np.zeros((2, 3), np.float32)}

ARTIFACTS = [
    fixture("labels/classes", "one product: scores of four classes", lambda: dense("classes", 4), ROWS, {"b": (2, 4)}),
    fixture(
        "labels/several",
        "one product and a sigmoid: probabilities of four classes, each by itself",
        lambda: dense("several", 4, "Sigmoid"),
        ROWS,
        {"b": (2, 4)},
    ),
    fixture("labels/number", "one product: a number", lambda: dense("number", 1), ROWS, {"b": (2, 1)}),
    fixture(
        "labels/tokens",
        "a lookup: scores of three classes for each token",
        tokens,
        {"a": np.zeros((2, 5), np.int64)},
        {"b": (2, 5, 3)},
    ),
    fixture(
        "labels/pixels",
        "a 1x1 convolution: scores of three classes for each pixel",
        pixels,
        {"a": np.zeros((2, 2, 4, 5), np.float32)},
        {"b": (2, 3, 4, 5)},
    ),
    fixture("labels/words", "a linear classifier of three words", words, ROWS, {"b": (2,), "c": (2, 3)}),
]
