"""Models of pictures whose rows and columns no name tells, and one whose file says how large its pictures are."""

import numpy as np
from onnx import helper

from .artifact import fixture
from .graphs import model, value
from .runtime import random_floats

SIDE = 24


def pixels(*shape):
    """A picture."""
    return np.linspace(0.0, 1.0, int(np.prod(shape)), dtype=np.float32).reshape(shape)


def read(picture):
    """Nodes that read a picture with its colours first, and their constants."""
    nodes = [
        helper.make_node("Conv", [picture, "kernels"], ["maps"], strides=[4, 4]),
        helper.make_node("GlobalAveragePool", ["maps"], ["means"]),
        helper.make_node("Flatten", ["means"], ["answer"]),
    ]
    return nodes, {"kernels": random_floats(51, 5, 3, 4, 4)}


def colours_last(picture, dims):
    """Pictures with their colours last."""
    nodes, arrays = read("turned")
    nodes.insert(0, helper.make_node("Transpose", [picture], ["turned"], perm=[0, 3, 1, 2]))
    return model("colours_last", nodes, [value(picture, [*dims, 3])], [value("answer", [dims[0], 5])], arrays)


def colours_second(picture, dims, about=None):
    """Pictures with their colours before rows and columns."""
    nodes, arrays = read(picture)
    batch, *rest = dims
    return model(
        "colours_second", nodes, [value(picture, [batch, 3, *rest])], [value("answer", [batch, 5])], arrays, about=about or {}
    )


ANSWER = {"answer": (2, 5)}


ARTIFACTS = [
    fixture(
        "pictures/colours-last",
        "pictures with their colours last, all dimensions of one name; made by hand",
        lambda: colours_last("photo", ("any", "any", "any")),
        {"photo": pixels(2, SIDE, SIDE, 3)},
        ANSWER,
    ),
    fixture(
        "pictures/colours-last-nameless",
        "the same with names that say nothing",
        lambda: colours_last("p", (None, None, None)),
        {"p": pixels(2, SIDE, SIDE, 3)},
        ANSWER,
    ),
    fixture(
        "pictures/colours-second",
        "pictures with their colours second; made by hand",
        lambda: colours_second("photo", ("U", "E1", "E2")),
        {"photo": pixels(2, 3, SIDE, SIDE)},
        ANSWER,
    ),
    fixture(
        "pictures/colours-second-nameless",
        "the same with names that say nothing",
        lambda: colours_second("p", (None, None, None)),
        {"p": pixels(2, 3, SIDE, SIDE)},
        ANSWER,
    ),
    fixture(
        "pictures/told",
        "the same with the size of its pictures in the metadata",
        lambda: colours_second("p", (None, None, None), {"imgsz": "[96, 160]"}),
        {"p": pixels(2, 3, SIDE, SIDE)},
        ANSWER,
    ),
]
