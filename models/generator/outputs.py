"""Models whose outputs are not what their files say, differ from inference to inference, or are no classes."""

import numpy as np
from onnx import TensorProto, helper

from .artifact import Artifact
from .graphs import FLOAT, INT64, model, save, value
from .runtime import run


def weights(seed, *shape, scale=1.0):
    """Random numbers, the same each time."""
    return (np.random.default_rng(seed).standard_normal(shape) * scale).astype(np.float32)


def node(kind, inputs, outputs, **attributes):
    """An operator with so many inputs and outputs, named in one string each."""
    return helper.make_node(kind, inputs.split(), outputs.split(), **attributes)


def forgotten(declared=1):
    """An open batch whose output is still declared with the one sample of its export, or is not."""
    proto = model(
        "forgotten",
        [node("MatMul", "readings head", "verdict")],
        [value("readings", ["rows", 6])],
        [value("verdict", ["rows", 4])],
        {"head": weights(1, 6, 4)},
    )
    if declared:
        dims = proto.graph.output[0].type.tensor_type.shape.dim
        dims[0].Clear()
        dims[0].dim_value = declared
    return proto


def picked(shift, names):
    """Rows of those candidates that score above a threshold: sample and candidate, and their scores."""
    scene, count, found, marks, scores = names
    return model(
        "picked",
        [
            node("MatMul", f"{scene} head", "raw"),
            node("Add", "raw shift", "all"),
            node("Greater", "all threshold", "above"),
            node("NonZero", "above", "places"),
            node("Transpose", "places", marks, perm=[1, 0]),
            node("GatherND", f"all {marks}", scores),
        ],
        [value(scene, [count, 8])],
        [value(marks, [found, 2], INT64), value(scores, [found])],
        {
            "head": weights(2, 8, 20),
            "shift": np.float32([shift]),
            "threshold": np.float32([0.5]),
        },
    )


def noise(outputs_length):
    """A sample with random numbers added; of random length where that is asked for."""
    nodes = [node("RandomNormalLike", "seedling", "grain", scale=0.5), node("Add", "seedling grain", "grown")]
    outputs = [value("grown", ["plots", 12])]
    arrays = {}
    if outputs_length == "random":
        nodes += [
            node("RandomUniform", "", "chance", shape=[1], low=1.0, high=9.0),
            node("Cast", "chance", "end", to=TensorProto.INT64),
            node("Slice", "grown start end axis", "harvest"),
        ]
        outputs = [value("harvest", ["plots", "some"])]
        arrays = {"start": np.int64([0]), "axis": np.int64([1])}
    return model("noise", nodes, [value("seedling", ["plots", 12])], outputs, arrays)


def wave(error, names):
    """A sound from the frames of its spectrum; `error` is added to its weights."""
    spectrum, frames, sound = names
    return model(
        "wave",
        [
            node("ConvTranspose", f"{spectrum} up", "wide", strides=[8], pads=[4, 4]),
            node("LeakyRelu", "wide", "bent"),
            node("Conv", "bent down", "mono", pads=[3, 3]),
            node("Tanh", "mono", sound),
        ],
        [value(spectrum, ["takes", 10, frames])],
        [value(sound, ["takes", 1, f"{frames}_up"])],
        {"up": weights(3, 10, 6, 16, scale=0.2) + np.float32(error), "down": weights(4, 1, 6, 7, scale=0.2)},
    )


def head(kind, width):
    """A vector of each sample: scores of classes, or a place on the sphere."""
    nodes = [node("MatMul", "facts map", "flat")]
    if kind == "classes":
        nodes.append(node("Softmax", "flat", "answer", axis=1))
    else:
        nodes += [node("LpNormalization", "flat", "answer", axis=1, p=2)]
    return model(
        f"head-{kind}",
        nodes,
        [value("facts", ["cases", 16])],
        [value("answer", ["cases", width])],
        {"map": weights(5, 16, width, scale=0.4)},
    )


def classifier(form):
    """A linear classifier: with scores in a map of each sample, or in a matrix under other names."""
    labels = "name" if form == "maps" else "which"
    nodes = [
        helper.make_node(
            "LinearClassifier",
            ["traits"],
            [labels, "scores" if form == "maps" else "chances"],
            domain="ai.onnx.ml",
            classlabels_ints=[0, 1, 2],
            coefficients=weights(6, 3, 5).ravel().tolist(),
            intercepts=[0.1, 0.0, -0.1],
            post_transform="SOFTMAX",
        )
    ]
    outputs = [value(labels, ["herd"], INT64), value("chances", ["herd", 3])]
    if form == "maps":
        nodes.append(helper.make_node("ZipMap", ["scores"], ["odds"], domain="ai.onnx.ml", classlabels_int64s=[0, 1, 2]))
        mapped = helper.make_map_type_proto(INT64, helper.make_tensor_type_proto(FLOAT, []))
        outputs[1] = helper.make_value_info("odds", helper.make_sequence_type_proto(mapped))
    return model("classifier", nodes, [value("traits", ["herd", 5])], outputs, domains={"ai.onnx.ml": 3})


def made(name, how, make, feeds):
    """A model that must run on `feeds`, twice."""
    path = f"fixtures/outputs/{name}.onnx"

    def check(root):
        for _ in range(2):
            run(root / path, feeds)

    return Artifact(path, how, build=lambda root: save(make(), root / path), check=check)


SPOTS = ("scene", "count", "found", "marks", "scores")
NAMELESS = ("x1", "d0", "d1", "y1", "y2")
SCENE = weights(7, 3, 8)

ARTIFACTS = [
    made("forgotten", "output declared as [1, 4] though the batch is open", forgotten, {"readings": weights(7, 3, 6)}),
    made("forgotten-fixed", "`forgotten` declared rightly", lambda: forgotten(None), {"readings": weights(7, 3, 6)}),
    made("picked-a", "rows of `NonZero`, as many as are found", lambda: picked(0.0, SPOTS), {"scene": SCENE}),
    made("picked-b", "finds more rows than `picked-a`", lambda: picked(0.3, SPOTS), {"scene": SCENE}),
    made("nameless-a", "`picked-a` with names that say nothing", lambda: picked(0.0, NAMELESS), {"x1": SCENE}),
    made("nameless-b", "`picked-b` with names that say nothing", lambda: picked(0.3, NAMELESS), {"x1": SCENE}),
    made("noise", "adds random numbers", lambda: noise("fixed"), {"seedling": weights(7, 2, 12)}),
    made("noise-length", "output of random length", lambda: noise("random"), {"seedling": weights(7, 2, 12)}),
    made("wave-a", "waveform", lambda: wave(0.0, ("spectrum", "steps", "sound")), {"spectrum": weights(8, 1, 10, 50)}),
    made("wave-b", "`wave-a` with errors", lambda: wave(0.01, ("spectrum", "steps", "sound")), {"spectrum": weights(8, 1, 10, 50)}),
    made("sphere", "vectors of length 1", lambda: head("sphere", 32), {"facts": weights(9, 2, 16)}),
    made("classes", "`Softmax` over 5", lambda: head("classes", 5), {"facts": weights(9, 2, 16)}),
    made("maps", "`ZipMap` of a linear classifier", lambda: classifier("maps"), {"traits": weights(9, 2, 5)}),
    made("matrix", "`maps` without `ZipMap`, under other names", lambda: classifier("matrix"), {"traits": weights(9, 2, 5)}),
]
