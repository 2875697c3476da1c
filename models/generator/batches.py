"""Models whose samples lie along one axis or another, or along none, under names that say it and under names that do not."""

import numpy as np
from onnx import helper

from .artifact import fixture
from .graphs import FLOAT, INT64, model, value
from .runtime import random_floats

SIDE = 32


def floats(*shape):
    """Input values."""
    return np.linspace(0.0, 1.0, int(np.prod(shape)), dtype=np.float32).reshape(shape)


def integers(*values):
    """A constant of whole numbers."""
    return np.array(values, dtype=np.int64)


def second_axis(series, dims):
    """A recurrent layer over the first axis: samples lie along the second axis of the input, the first of the output."""
    nodes = [
        helper.make_node("RNN", [series, "weight", "recurrence"], ["", "last"], hidden_size=3),
        helper.make_node("Squeeze", ["last", "zero"], ["answer"]),
    ]
    arrays = {
        "weight": random_floats(21, 1, 3, 4),
        "recurrence": random_floats(32, 1, 3, 3),
        "zero": integers(0),
    }
    return model("second_axis", nodes, [value(series, [*dims, 4])], [value("answer", [dims[1], 3])], arrays)


def states(signal, memory, dims):
    """One step with a memory of the last four, whose samples lie along its second axis."""
    nodes = [
        helper.make_node("MatMul", [signal, "weight"], ["step"]),
        helper.make_node("Unsqueeze", ["step", "zero"], ["newest"]),
        helper.make_node("Concat", [memory, "newest"], ["all"], axis=0),
        helper.make_node("Slice", ["all", "one", "five", "zero"], ["kept"]),
        helper.make_node("ReduceSum", ["all", "zero"], ["answer"], keepdims=0),
    ]
    arrays = {"weight": random_floats(22, 6, 3), "zero": integers(0), "one": integers(1), "five": integers(5)}
    inputs = [value(signal, [dims[0], 6]), value(memory, [4, dims[1], 3])]
    outputs = [value("answer", [dims[0], 3]), value("kept", [4, dims[1], 3])]
    return model("states", nodes, inputs, outputs, arrays)


def product(query, kept, dims):
    """Three rows of one input belong to each sample of the other."""
    nodes = [
        helper.make_node("Reshape", [kept, "by_sample"], ["rows"]),
        helper.make_node("Unsqueeze", [query, "one"], ["wide"]),
        helper.make_node("Mul", ["rows", "wide"], ["products"]),
        helper.make_node("ReduceSum", ["products", "one"], ["answer"], keepdims=0),
    ]
    arrays = {"by_sample": integers(-1, 3, 2), "one": integers(1)}
    inputs = [value(query, [dims[0], 2]), value(kept, [dims[1], 2])]
    return model("product", nodes, inputs, [value("answer", ["samples", 2])], arrays)


def colours_first(picture, dims):
    """A convolution over one picture with its colours first: rows of the answer are places of the picture."""
    nodes = [
        helper.make_node("Unsqueeze", [picture, "zero"], ["batched"]),
        helper.make_node("Conv", ["batched", "kernels"], ["maps"], strides=[4, 4]),
        helper.make_node("Conv", ["maps", "wide"], ["wider"], pads=[1, 1, 1, 1]),
        helper.make_node("Reshape", ["wider", "flat"], ["places"]),
        helper.make_node("Transpose", ["places"], ["answer"], perm=[1, 0]),
    ]
    arrays = {
        "kernels": random_floats(23, 4, 3, 4, 4),
        "wide": random_floats(24, 5, 4, 3, 3),
        "zero": integers(0),
        "flat": integers(5, -1),
    }
    return model("colours_first", nodes, [value(picture, [3, *dims])], [value("answer", ["places", 5])], arrays)


def indexed_rows(picture, batch):
    """Rows of what was found, each with the index of its sample."""
    nodes = [
        helper.make_node("MatMul", [picture, "to_boxes"], ["flat_boxes"]),
        helper.make_node("Reshape", ["flat_boxes", "box_shape"], ["boxes"]),
        helper.make_node("MatMul", [picture, "to_scores"], ["flat_scores"]),
        helper.make_node("Reshape", ["flat_scores", "score_shape"], ["scores"]),
        helper.make_node("NonMaxSuppression", ["boxes", "scores", "most", "overlap", "least"], ["found"]),
        helper.make_node("Gather", ["found", "place_of_box"], ["place"], axis=1),
        helper.make_node("GatherND", ["boxes", "place"], ["found_boxes"]),
    ]
    arrays = {
        "to_boxes": random_floats(25, 8, 6 * 4),
        "to_scores": random_floats(26, 8, 6),
        "box_shape": integers(-1, 6, 4),
        "score_shape": integers(-1, 1, 6),
        "most": integers(4),
        "overlap": np.array([0.9], dtype=np.float32),
        "least": np.array([-100.0], dtype=np.float32),
        "place_of_box": integers(0, 2),
    }
    outputs = [value("found", ["finds", 3], INT64), value("found_boxes", ["finds", 4])]
    return model("indexed_rows", nodes, [value(picture, [batch, 8])], outputs, arrays)


def noise(features, batch):
    """One output that is random, and one that is not."""
    nodes = [
        helper.make_node("RandomNormalLike", [features], ["drawn"]),
        helper.make_node("Add", [features, "drawn"], ["sampled"]),
        helper.make_node("MatMul", [features, "weight"], ["mean"]),
    ]
    arrays = {"weight": random_floats(28, 4, 2)}
    outputs = [value("sampled", [batch, 4]), value("mean", [batch, 2])]
    return model("noise", nodes, [value(features, [batch, 4])], outputs, arrays)


def noise_alone(features, batch):
    """A random output alone."""
    nodes = [
        helper.make_node("RandomNormalLike", [features], ["drawn"]),
        helper.make_node("Add", [features, "drawn"], ["sampled"]),
    ]
    return model("noise_alone", nodes, [value(features, [batch, 4])], [value("sampled", [batch, 4])])


def shared_scale(features, batch):
    """A product in integers whose scale is that of the whole batch."""
    nodes = [
        helper.make_node("DynamicQuantizeLinear", [features], ["quantized", "scale", "zero"]),
        helper.make_node("MatMulInteger", ["quantized", "weight", "zero"], ["whole"]),
        helper.make_node("Cast", ["whole"], ["wide"], to=FLOAT),
        helper.make_node("Mul", ["wide", "scale"], ["answer"]),
    ]
    arrays = {"weight": np.clip(random_floats(29, 6, 4) * 40, -127, 127).astype(np.int8)}
    return model("shared_scale", nodes, [value(features, [batch, 6])], [value("answer", [batch, 4])], arrays)


def mixed(features, batch):
    """Shares of all that stands along the first axis, which is a batch by its name alone."""
    nodes = [
        helper.make_node("MatMul", [features, "weight"], ["scores"]),
        helper.make_node("Softmax", ["scores"], ["shares"], axis=0),
    ]
    arrays = {"weight": random_floats(30, 4, 3)}
    return model("mixed", nodes, [value(features, [batch, 4])], [value("shares", [batch, 3])], arrays)


def one_at_a_time(features, batch):
    """A batch that an inner shape fixes at one."""
    nodes = [
        helper.make_node("Reshape", [features, "row"], ["flat"]),
        helper.make_node("MatMul", ["flat", "weight"], ["answer"]),
    ]
    arrays = {"row": integers(1, 8), "weight": random_floats(31, 8, 3)}
    return model("one_at_a_time", nodes, [value(features, [batch, 2, 4])], [value("answer", [batch, 3])], arrays)


ARTIFACTS = [
    fixture(
        "batches/second-axis",
        "samples along the second axis; made by hand",
        lambda: second_axis("series", ("steps", "lines")),
        {"series": floats(5, 2, 4)},
        {"answer": (2, 3)},
    ),
    fixture(
        "batches/second-axis-nameless",
        "the same with names that say nothing",
        lambda: second_axis("p", (None, None)),
        {"p": floats(5, 2, 4)},
        {"answer": (2, 3)},
    ),
    fixture(
        "batches/states",
        "a state whose samples lie along its second axis, with a name for each dimension; made by hand",
        lambda: states("signal", "memory", ("streams_in", "streams_kept")),
        {"signal": floats(2, 6), "memory": floats(4, 2, 3)},
        {"answer": (2, 3), "kept": (4, 2, 3)},
    ),
    fixture(
        "batches/states-nameless",
        "the same with names that say nothing",
        lambda: states("p", "q", (None, None)),
        {"p": floats(2, 6), "q": floats(4, 2, 3)},
        {"answer": (2, 3), "kept": (4, 2, 3)},
    ),
    fixture(
        "batches/product",
        "an input with three rows for each sample; made by hand",
        lambda: product("query", "kept", ("items", "items x 3")),
        {"query": floats(2, 2), "kept": floats(6, 2)},
        {"answer": (2, 2)},
    ),
    fixture(
        "batches/product-nameless",
        "the same with names that say nothing",
        lambda: product("x2", "x1", (None, None)),
        {"x2": floats(2, 2), "x1": floats(6, 2)},
        {"answer": (2, 2)},
    ),
    fixture(
        "batches/colours-first",
        "one picture without a batch; made by hand",
        lambda: colours_first("picture", ("tall", "broad")),
        {"picture": floats(3, SIDE, SIDE)},
        {"answer": (64, 5)},
    ),
    fixture(
        "batches/colours-first-nameless",
        "the same with names that say nothing",
        lambda: colours_first("p", (None, None)),
        {"p": floats(3, SIDE, SIDE)},
        {"answer": (64, 5)},
    ),
    fixture(
        "batches/indexed-rows",
        "rows with the index of their sample; made by hand",
        lambda: indexed_rows("scene", "scenes"),
        {"scene": floats(1, 8)},
        {"found": (4, 3), "found_boxes": (4, 4)},
    ),
    fixture(
        "batches/indexed-rows-nameless",
        "the same with names that say nothing",
        lambda: indexed_rows("p", None),
        {"p": floats(1, 8)},
        {"found": (4, 3), "found_boxes": (4, 4)},
    ),
    fixture(
        "batches/noise",
        "a random output beside one that is not; made by hand",
        lambda: noise("features", "items"),
        {"features": floats(2, 4)},
        {"sampled": (2, 4), "mean": (2, 2)},
    ),
    fixture(
        "batches/noise-alone",
        "a random output alone; made by hand",
        lambda: noise_alone("p", None),
        {"p": floats(2, 4)},
        {"sampled": (2, 4)},
    ),
    fixture(
        "batches/shared-scale",
        "dynamic quantization with one scale for a whole batch; made by hand",
        lambda: shared_scale("features", "items"),
        {"features": floats(2, 6)},
        {"answer": (2, 4)},
    ),
    fixture(
        "batches/mixed",
        "a dimension called batch along which samples are mixed; made by hand",
        lambda: mixed("features", "batch"),
        {"features": floats(2, 4)},
        {"shares": (2, 3)},
    ),
    fixture(
        "batches/one-at-a-time",
        "a dimension called batch of which one is taken; made by hand",
        lambda: one_at_a_time("features", "batch"),
        {"features": floats(1, 2, 4)},
        {"answer": (1, 3)},
    ),
]
