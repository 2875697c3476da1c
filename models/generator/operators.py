"""Fixtures about what a graph does: subgraphs, real work in a small file, and quantized operators."""

import numpy as np
from onnx import TensorProto, helper
from onnxruntime.quantization import QuantFormat, QuantType, quantize_static
from onnxruntime.quantization.matmul_nbits_quantizer import MatMulNBitsQuantizer

from .artifact import fixture
from .graphs import BATCH, INT64, model, value
from .quantizing import Batches, quantized
from .runtime import random_floats

BOOL = TensorProto.BOOL
CHANNELS = 32
IMAGE = 128


def control_flow():
    """`If` the sum is positive a `Loop` halves and adds three times, else the sign turns."""
    shape = [BATCH, 4]
    then_branch = helper.make_graph(
        [helper.make_node("Loop", ["three", "", "x"], ["looped"], name="loop", body=loop_body(shape))],
        "then", [], [value("looped", shape)],
    )  # fmt: skip
    else_branch = helper.make_graph([helper.make_node("Neg", ["x"], ["turned"])], "else", [], [value("turned", shape)])
    nodes = [
        helper.make_node("ReduceSum", ["x"], ["sum"], keepdims=0),
        helper.make_node("Greater", ["sum", "zero"], ["positive"]),
        helper.make_node("If", ["positive"], ["y"], name="if", then_branch=then_branch, else_branch=else_branch),
    ]
    arrays = {"zero": np.array(0.0, np.float32), "half": np.array(0.5, np.float32), "three": np.array(3, np.int64)}
    return model("control_flow", nodes, [value("x", shape)], [value("y", shape)], arrays)


def loop_body(shape):
    """One turn: the state is halved and the outer `x` added."""
    nodes = [
        helper.make_node("Identity", ["go_on"], ["go_on_out"]),
        helper.make_node("Mul", ["state", "half"], ["halved"]),
        helper.make_node("Add", ["halved", "x"], ["state_out"]),
    ]
    inputs = [value("turn", [], INT64), value("go_on", [], BOOL), value("state", shape)]
    return helper.make_graph(nodes, "body", inputs, [value("go_on_out", [], BOOL), value("state_out", shape)])


def conv_milliseconds():
    """Four convolutions over a whole image: much arithmetic on few weights."""
    nodes, arrays, previous, channels = [], {}, "image", 3
    for index in range(4):
        weight = f"conv_{index}.weight"
        arrays[weight] = random_floats(index, CHANNELS, channels, 3, 3) * np.float32(2.0 / np.sqrt(9 * channels))
        nodes.append(helper.make_node("Conv", [previous, weight], [f"conv_{index}"], pads=[1, 1, 1, 1]))
        nodes.append(helper.make_node("Relu", [f"conv_{index}"], [f"relu_{index}"]))
        previous, channels = f"relu_{index}", CHANNELS
    nodes.append(helper.make_node("GlobalAveragePool", [previous], ["pooled"]))
    nodes.append(helper.make_node("Flatten", ["pooled"], ["features"]))
    inputs = [value("image", [BATCH, 3, IMAGE, IMAGE])]
    return model("conv_milliseconds", nodes, inputs, [value("features", [BATCH, CHANNELS])], arrays)


def small_network():
    """A convolution and a dense layer on images of 8x8."""
    nodes = [
        helper.make_node("Conv", ["image", "conv.weight"], ["conv"], name="conv", pads=[1, 1, 1, 1]),
        helper.make_node("Relu", ["conv"], ["relu"], name="relu"),
        helper.make_node("GlobalAveragePool", ["relu"], ["pooled"], name="pool"),
        helper.make_node("Flatten", ["pooled"], ["flat"], name="flatten"),
        helper.make_node("MatMul", ["flat", "dense.weight"], ["scores"], name="dense"),
    ]
    arrays = {"conv.weight": random_floats(1, 8, 3, 3, 3), "dense.weight": random_floats(2, 8, 4)}
    return model("qoperator", nodes, [value("image", [BATCH, 3, 8, 8])], [value("scores", [BATCH, 4])], arrays)


def qoperator():
    """The small network with operators that take and give integers."""
    return quantized(
        small_network(),
        quantize_static,
        calibration_data_reader=Batches([{"image": random_floats(3, 8, 3, 8, 8)}]),
        quant_format=QuantFormat.QOperator,
        activation_type=QuantType.QUInt8,
        weight_type=QuantType.QInt8,
    )


def int4_block():
    """Two dense layers with their weights in four bits, 32 to a block."""
    nodes = [
        helper.make_node("MatMul", ["x", "first.weight"], ["first"], name="first"),
        helper.make_node("Relu", ["first"], ["relu"], name="relu"),
        helper.make_node("MatMul", ["relu", "second.weight"], ["y"], name="second"),
    ]
    arrays = {"first.weight": random_floats(1, 128, 64), "second.weight": random_floats(2, 64, 32)}
    proto = model("int4_block", nodes, [value("x", [BATCH, 128])], [value("y", [BATCH, 32])], arrays)
    quantizer = MatMulNBitsQuantizer(proto, bits=4, block_size=32, is_symmetric=True)
    quantizer.process()
    return quantizer.model.model


ARTIFACTS = [
    fixture("control-flow", "an `If` whose one branch is a `Loop` that captures outer values",
            control_flow, {"x": random_floats(4, 2, 4)}, {"y": (2, 4)}),
    fixture("conv-milliseconds", "four 3x3 convolutions over 128x128 pixels: some milliseconds of work on few weights; "
            "random weights", conv_milliseconds, {"image": random_floats(5, 2, 3, IMAGE, IMAGE)}, {"features": (2, CHANNELS)}),
    fixture("qoperator", "`quantize_static` with `QuantFormat.QOperator`; random weights",
            qoperator, {"image": random_floats(6, 2, 3, 8, 8)}, {"scores": (2, 4)}),
    fixture("int4-block", "`MatMulNBitsQuantizer`, 4 bits, blocks of 32, symmetric; random weights",
            int4_block, {"x": random_floats(7, 2, 128)}, {"y": (2, 32)}),
]  # fmt: skip
