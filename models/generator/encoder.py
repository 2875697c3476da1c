"""A BERT-like encoder with random weights, laid out as exporters lay it out."""

import numpy as np
from onnx import helper

from .artifact import fixture
from .graphs import INT64, model, value
from .runtime import random_floats

NAME = "bert-tiny-random-weights"
LAYERS = 2
HIDDEN = 64
HEADS = 4
INNER = 4 * HIDDEN
VOCABULARY = 1000
POSITIONS = 128
TOKEN_TYPES = 2
MASKED = -10000.0
IDS = ["batch_size", "sequence_length"]
INPUTS = ("input_ids", "attention_mask", "token_type_ids")


class Writer:
    """Collects nodes and weights; each method returns the name of the value it adds."""

    def __init__(self):
        self.nodes = []
        self.arrays = {}

    def node(self, operator, inputs, output, **attributes):
        self.nodes.append(helper.make_node(operator, inputs, [output], name=f"/{output}", **attributes))
        return output

    def constant(self, name, array):
        self.arrays[name] = np.asarray(array)
        return name

    def weight(self, name, *shape):
        scale = np.float32(1.0 / np.sqrt(shape[0]))
        return self.constant(name, random_floats(len(self.arrays), *shape) * scale)

    def dense(self, source, name, inputs, outputs):
        product = self.node("MatMul", [source, self.weight(f"{name}.weight", inputs, outputs)], f"{name}.product")
        bias = self.constant(f"{name}.bias", np.zeros(outputs, np.float32))
        return self.node("Add", [product, bias], f"{name}.output")

    def normalized(self, source, name):
        scale = self.constant(f"{name}.scale", np.ones(HIDDEN, np.float32))
        bias = self.constant(f"{name}.bias", np.zeros(HIDDEN, np.float32))
        return self.node("LayerNormalization", [source, scale, bias], f"{name}.output", axis=-1, epsilon=1e-12)


def make():
    """Token, position and type embeddings, two encoder layers, and a pooler over the first token."""
    writer = Writer()
    hidden = embeddings(writer)
    mask = attention_bias(writer)
    for index in range(LAYERS):
        hidden = encoder_layer(writer, hidden, mask, f"encoder.{index}")
    writer.node("Identity", [hidden], "last_hidden_state")
    pooler(writer, hidden)
    return model(
        "bert_tiny_random_weights",
        writer.nodes,
        [value(name, IDS, INT64) for name in INPUTS],
        [value("last_hidden_state", [*IDS, HIDDEN]), value("pooler_output", [IDS[0], HIDDEN])],
        writer.arrays,
        about={"weights": "random, never trained"},
    )


def embeddings(writer):
    """The normalized sum of the three embeddings; positions are the first ones of a stored row."""
    rows = writer.constant("position_ids", np.arange(POSITIONS, dtype=np.int64)[None])
    zero, one = (writer.constant(f"index_{index}", np.array([index], np.int64)) for index in (0, 1))
    shape = writer.node("Shape", ["input_ids"], "embeddings.shape")
    length = writer.node("Gather", [shape, one], "embeddings.length", axis=0)
    positions = writer.node("Slice", [rows, zero, length, one], "embeddings.positions")
    tables = [("words", VOCABULARY, "input_ids"), ("types", TOKEN_TYPES, "token_type_ids")]
    tables.append(("places", POSITIONS, positions))
    parts = []
    for name, size, ids in tables:
        weight = writer.constant(f"embeddings.{name}.weight", random_floats(size, size, HIDDEN))
        parts.append(writer.node("Gather", [weight, ids], f"embeddings.{name}"))
    total = writer.node("Add", parts[:2], "embeddings.words_and_types")
    total = writer.node("Add", [total, parts[2]], "embeddings.sum")
    return writer.normalized(total, "embeddings.norm")


def attention_bias(writer):
    """0 where a token counts and a large negative number where it is padding, [batch, 1, 1, sequence]."""
    axes = writer.constant("mask.axes", np.array([1, 2], np.int64))
    one = writer.constant("mask.one", np.float32(1.0))
    masked = writer.constant("mask.masked", np.float32(MASKED))
    wide = writer.node("Unsqueeze", ["attention_mask", axes], "mask.wide")
    floats = writer.node("Cast", [wide], "mask.float", to=1)
    absent = writer.node("Sub", [one, floats], "mask.absent")
    return writer.node("Mul", [absent, masked], "mask.bias")


def encoder_layer(writer, hidden, mask, name):
    """Self-attention and a feed-forward part, each with a residual and a normalization."""
    attended = attention(writer, hidden, mask, f"{name}.attention")
    total = writer.node("Add", [attended, hidden], f"{name}.attention.residual")
    middle = writer.normalized(total, f"{name}.attention.norm")
    inner = gelu(writer, writer.dense(middle, f"{name}.inner", HIDDEN, INNER), f"{name}.gelu")
    outer = writer.dense(inner, f"{name}.outer", INNER, HIDDEN)
    total = writer.node("Add", [outer, middle], f"{name}.residual")
    return writer.normalized(total, f"{name}.norm")


def attention(writer, hidden, mask, name):
    """Scaled dot products over four heads."""
    split = writer.constant(f"{name}.split", np.array([0, 0, HEADS, HIDDEN // HEADS], np.int64))
    merged = writer.constant(f"{name}.merged", np.array([0, 0, HIDDEN], np.int64))
    root = writer.constant(f"{name}.root", np.float32(np.sqrt(HIDDEN // HEADS)))
    parts = {}
    for part, order in {"query": (0, 2, 1, 3), "key": (0, 2, 3, 1), "value": (0, 2, 1, 3)}.items():
        dense = writer.dense(hidden, f"{name}.{part}", HIDDEN, HIDDEN)
        heads = writer.node("Reshape", [dense, split], f"{name}.{part}.heads")
        parts[part] = writer.node("Transpose", [heads], f"{name}.{part}.turned", perm=order)
    products = writer.node("MatMul", [parts["query"], parts["key"]], f"{name}.products")
    scaled = writer.node("Div", [products, root], f"{name}.scaled")
    biased = writer.node("Add", [scaled, mask], f"{name}.biased")
    shares = writer.node("Softmax", [biased], f"{name}.shares", axis=-1)
    context = writer.node("MatMul", [shares, parts["value"]], f"{name}.context")
    turned = writer.node("Transpose", [context], f"{name}.context.turned", perm=(0, 2, 1, 3))
    joined = writer.node("Reshape", [turned, merged], f"{name}.context.joined")
    return writer.dense(joined, f"{name}.dense", HIDDEN, HIDDEN)


def gelu(writer, source, name):
    """x/2 (1 + erf(x / sqrt 2)), spelled out as exporters do below opset 20."""
    root, one, half = (
        writer.constant(f"{name}.{label}", np.float32(number))
        for label, number in (("root", np.sqrt(2.0)), ("one", 1.0), ("half", 0.5))
    )
    scaled = writer.node("Div", [source, root], f"{name}.scaled")
    error = writer.node("Erf", [scaled], f"{name}.erf")
    share = writer.node("Add", [error, one], f"{name}.share")
    product = writer.node("Mul", [source, share], f"{name}.product")
    return writer.node("Mul", [product, half], f"{name}.output")


def pooler(writer, hidden):
    """A dense layer and tanh over the first token."""
    first = writer.constant("pooler.index", np.array(0, np.int64))
    token = writer.node("Gather", [hidden, first], "pooler.token", axis=1)
    dense = writer.dense(token, "pooler", HIDDEN, HIDDEN)
    writer.node("Tanh", [dense], "pooler_output")


def feeds():
    """Two sequences of 16 tokens; the second one ends after ten."""
    mask = np.ones((2, 16), np.int64)
    mask[1, 10:] = 0
    ids = np.random.default_rng(0).integers(0, VOCABULARY, size=(2, 16))
    return dict(zip(INPUTS, (ids, mask, np.zeros((2, 16), np.int64)), strict=True))


ARTIFACTS = [
    fixture(
        NAME,
        f"`generator/encoder.py`: {LAYERS} layers, hidden size {HIDDEN}, {VOCABULARY} words, {POSITIONS} positions, "
        f"{TOKEN_TYPES} token types; random weights",
        make,
        feeds(),
        {"last_hidden_state": (2, 16, HIDDEN), "pooler_output": (2, HIDDEN)},
    )
]
