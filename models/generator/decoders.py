"""Decoders that keep keys and values: plain, with a branch for each of both uses, and with the fused operator of exporters."""

import numpy as np
from onnx import TensorProto, helper

from .artifact import fixture
from .graphs import FLOAT, INT64, model, value
from .runtime import random_floats

WORDS, WIDTH, HEADS = 40, 8, 2
FUSED_WIDTH = 16


def integers(*values):
    """A constant of whole numbers."""
    return np.array(values, dtype=np.int64)


def made(operator, inputs, output, **attributes):
    """A node with one output."""
    return helper.make_node(operator, inputs, [output], **attributes)


def heads(of, tag):
    """Splits `[lines, fresh, heads x width]` into heads."""
    return [
        made("Reshape", [of, "by_head"], f"{tag}_split"),
        made("Transpose", [f"{tag}_split"], f"{tag}_heads", perm=[0, 2, 1, 3]),
    ]


def attention(tag, kept):
    """Attention of the words over what is `kept`, if anything is, and over themselves; ends in `{tag}_answer`, `{tag}_keys`."""
    nodes = []
    for part in ("q", "k"):
        nodes.append(made("MatMul", ["embedded", f"to_{part}"], f"{tag}_{part}"))
        nodes += heads(f"{tag}_{part}", f"{tag}_{part}")
    keys = f"{tag}_keys"
    nodes.append(made("Concat", [kept, f"{tag}_k_heads"], keys, axis=2) if kept else made("Identity", [f"{tag}_k_heads"], keys))
    nodes += [
        made("Transpose", [keys], f"{tag}_turned", perm=[0, 1, 3, 2]),
        made("MatMul", [f"{tag}_q_heads", f"{tag}_turned"], f"{tag}_scores"),
        made("Add", [f"{tag}_scores", "hidden"], f"{tag}_masked"),
        made("Softmax", [f"{tag}_masked"], f"{tag}_shares", axis=-1),
        made("MatMul", [f"{tag}_shares", keys], f"{tag}_mixed"),
        made("Transpose", [f"{tag}_mixed"], f"{tag}_back", perm=[0, 2, 1, 3]),
        made("Reshape", [f"{tag}_back", "joined"], f"{tag}_flat"),
        made("MatMul", [f"{tag}_flat", "to_words"], f"{tag}_answer"),
    ]
    return nodes


def around(words, seen):
    """Nodes and constants that every decoder begins with: words looked up, and a mask that is added."""
    nodes = [
        made("Gather", ["table", words], "embedded"),
        made("Unsqueeze", [seen, "axes"], "wide"),
        made("Cast", ["wide"], "shown", to=FLOAT),
        made("Sub", ["one", "shown"], "unseen"),
        made("Mul", ["unseen", "far"], "hidden"),
    ]
    arrays = {
        "table": random_floats(41, WORDS, HEADS * WIDTH),
        "to_q": random_floats(42, HEADS * WIDTH, HEADS * WIDTH),
        "to_k": random_floats(43, HEADS * WIDTH, HEADS * WIDTH),
        "to_words": random_floats(44, HEADS * WIDTH, WORDS),
        "by_head": integers(0, 0, HEADS, WIDTH),
        "joined": integers(0, 0, HEADS * WIDTH),
        "axes": integers(1, 2),
        "one": np.float32(1),
        "far": np.float32(-1e4),
    }
    return nodes, arrays


def plain(names, dims):
    """Reads what was kept, and keeps more."""
    words, seen, kept = names
    lines, fresh, old, both = dims
    nodes, arrays = around(words, seen)
    nodes += attention("a", kept)
    nodes += [made("Identity", ["a_answer"], "scores"), made("Identity", ["a_keys"], "keys")]
    inputs = [value(words, [lines, fresh], INT64), value(seen, [lines, both], INT64)]
    inputs.append(value(kept, [lines, HEADS, old, WIDTH]))
    outputs = [value("scores", [lines, fresh, WORDS]), value("keys", [lines, HEADS, both, WIDTH])]
    return model("plain", nodes, inputs, outputs, arrays)


def merged(names, dims):
    """Reads what was kept where a truth value says so."""
    words, seen, kept, resumes = names
    lines, fresh, old, both = dims
    nodes, arrays = around(words, seen)
    branches = []
    for tag, past in (("r", kept), ("f", None)):
        outputs = [value(f"{tag}_answer", None), value(f"{tag}_keys", None)]
        branches.append(helper.make_graph(attention(tag, past), tag, [], outputs))
    for branch in branches:
        for index, node in enumerate(branch.node):
            node.name = f"{branch.name}_{node.op_type}_{index}"
    chosen = helper.make_node("If", [resumes], ["scores", "keys"], then_branch=branches[0], else_branch=branches[1])
    inputs = [value(words, [lines, fresh], INT64), value(seen, [lines, both], INT64)]
    inputs += [value(kept, [lines, HEADS, old, WIDTH]), value(resumes, [1], TensorProto.BOOL)]
    outputs = [value("scores", [lines, fresh, WORDS]), value("keys", [lines, HEADS, None, WIDTH])]
    return model("merged", [*nodes, chosen], inputs, outputs, arrays)


def fused(names, dims):
    """Attention of groups of heads as one operator, which is told how much there is by the mask."""
    words, seen, kept, held = names
    lines, fresh, old, both = dims
    nodes = [
        made("Gather", ["table", words], "embedded"),
        made("ReduceSum", [seen, "one"], "seen_sum", keepdims=1),
        made("Sub", ["seen_sum", "one"], "last"),
        made("Cast", ["last"], "last_place", to=TensorProto.INT32),
        made("Shape", [seen], "seen_shape"),
        made("Gather", ["seen_shape", "second"], "length", axis=0),
        made("Cast", ["length"], "all_of_it", to=TensorProto.INT32),
        *[made("MatMul", ["embedded", f"to_{part}"], f"new_{part}") for part in ("q", "k", "v")],
        helper.make_node(
            "GroupQueryAttention",
            ["new_q", "new_k", "new_v", kept, held, "last_place", "all_of_it"],
            ["attended", "keys", "values"],
            domain="com.microsoft",
            num_heads=HEADS,
            kv_num_heads=1,
        ),
        made("MatMul", ["attended", "to_words"], "scores"),
    ]
    arrays = {
        "table": random_floats(45, WORDS, HEADS * FUSED_WIDTH),
        "to_q": random_floats(46, HEADS * FUSED_WIDTH, HEADS * FUSED_WIDTH),
        "to_k": random_floats(47, HEADS * FUSED_WIDTH, FUSED_WIDTH),
        "to_v": random_floats(48, HEADS * FUSED_WIDTH, FUSED_WIDTH),
        "to_words": random_floats(49, HEADS * FUSED_WIDTH, WORDS),
        "one": integers(1),
        "second": np.int64(1),
    }
    inputs = [value(words, [lines, fresh], INT64), value(seen, [lines, both], INT64)]
    inputs += [value(name, [lines, 1, old, FUSED_WIDTH]) for name in (kept, held)]
    outputs = [value("scores", [lines, fresh, WORDS])]
    outputs += [value(name, [lines, 1, both, FUSED_WIDTH]) for name in ("keys", "values")]
    return model("fused", nodes, inputs, outputs, arrays, domains={"com.microsoft": 1})


def feeds(names, fresh, kept_shape):
    """Two lines of so many words after five that were kept, under these names."""
    words, seen, *kept = names
    fed = {words: np.arange(2 * fresh).reshape(2, fresh), seen: np.ones((2, 5 + fresh), dtype=np.int64)}
    fed |= {name: np.full(kept_shape, 0.5, dtype=np.float32) for name in kept}
    return fed


NAMES, NAMELESS = ("words", "seen", "kept"), ("p", "q", "r")
DIMS = ("lines", "fresh", "older", "older + fresh")
NO_DIMS = (None, None, None, None)
PLAIN = {"scores": (2, 3, WORDS), "keys": (2, HEADS, 8, WIDTH)}
KEPT = (2, HEADS, 5, WIDTH)
# The operator takes one word at a time from several lines.
FUSED = {"scores": (2, 1, WORDS), "keys": (2, 1, 6, FUSED_WIDTH), "values": (2, 1, 6, FUSED_WIDTH)}
FUSED_KEPT = (2, 1, 5, FUSED_WIDTH)
RESUMES = np.array([True])


ARTIFACTS = [
    fixture(
        "decoders/plain",
        "a decoder that keeps keys; made by hand",
        lambda: plain(NAMES, DIMS),
        feeds(NAMES, 3, KEPT),
        PLAIN,
    ),
    fixture(
        "decoders/plain-nameless",
        "the same with names that say nothing",
        lambda: plain(NAMELESS, NO_DIMS),
        feeds(NAMELESS, 3, KEPT),
        PLAIN,
    ),
    fixture(
        "decoders/merged",
        "a decoder with a branch that reads what was kept and one that does not; made by hand",
        lambda: merged((*NAMES, "resumes"), (*DIMS[:3], "in all")),
        feeds(NAMES, 3, KEPT) | {"resumes": RESUMES},
        PLAIN,
    ),
    fixture(
        "decoders/merged-nameless",
        "the same with names that say nothing",
        lambda: merged((*NAMELESS, "s"), NO_DIMS),
        feeds(NAMELESS, 3, KEPT) | {"s": RESUMES},
        PLAIN,
    ),
    fixture(
        "decoders/fused",
        "a decoder whose mask has a length of its own, with attention as one operator; made by hand",
        lambda: fused((*NAMES, "held"), (*DIMS[:3], "in all")),
        feeds((*NAMES, "held"), 1, FUSED_KEPT),
        FUSED,
    ),
    fixture(
        "decoders/fused-nameless",
        "the same with names that say nothing",
        lambda: fused((*NAMELESS, "s"), NO_DIMS),
        feeds((*NAMELESS, "s"), 1, FUSED_KEPT),
        FUSED,
    ),
]
