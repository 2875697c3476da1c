"""Models that are slow for a known reason, each beside the same network without it."""

import numpy as np
from onnx import TensorProto, helper
from onnxruntime.quantization import QuantType, quantize_dynamic

from .artifact import fixture
from .graphs import BATCH, FLOAT, model, value
from .quantizing import quantized
from .runtime import random_floats

FLOAT16 = TensorProto.FLOAT16
LAYERS = 3
CHANNELS = 16
PIXELS = 24
IMAGE = [BATCH, CHANNELS, PIXELS, PIXELS]
# The activations' scales and zero points: an image in -1..1, sums in -8..8, and what a sigmoid makes of them.
IMAGE_SCALE, SUM_SCALE, SIGMOID_SCALE = (1 / 128, 128), (1 / 16, 128), (1 / 256, 0)
POINTWISE_PIXELS = 64
ROWS, FEATURES = 1024, 16
ELEMENTS = 1 << 14


def conv_weight(layer):
    """Weights of one 3x3 convolution, small enough for its sums to stay in -8..8."""
    return random_floats(layer, CHANNELS, CHANNELS, 3, 3) / np.float32(16)


def convolutions():
    """Three convolutions with a sigmoid behind each, in float32."""
    nodes, arrays, previous = [], {}, "image"
    for layer in range(LAYERS):
        arrays[f"weight_{layer}"] = conv_weight(layer)
        nodes.append(helper.make_node("Conv", [previous, f"weight_{layer}"], [f"sum_{layer}"], pads=[1] * 4))
        nodes.append(helper.make_node("Sigmoid", [f"sum_{layer}"], [f"sigmoid_{layer}"]))
        previous = f"sigmoid_{layer}"
    return model("convolutions", nodes, [value("image", IMAGE)], [value(previous, IMAGE)], arrays)


def pair(nodes, arrays, name, scheme):
    """Adds a quantize and a dequantize node behind `name`; returns what comes out of them."""
    scale, zero_point = scheme
    arrays[f"{name}_scale"] = np.array(scale, np.float32)
    arrays[f"{name}_zero"] = np.array(zero_point, np.uint8)
    parameters = [f"{name}_scale", f"{name}_zero"]
    nodes.append(helper.make_node("QuantizeLinear", [name, *parameters], [f"{name}_quantized"]))
    nodes.append(helper.make_node("DequantizeLinear", [f"{name}_quantized", *parameters], [f"{name}_again"]))
    return f"{name}_again"


def int8_weight(nodes, arrays, layer, per_channel):
    """Adds the weight of a convolution in int8 and its dequantize node; returns what comes out of it."""
    weight, name = conv_weight(layer), f"weight_{layer}"
    largest = np.abs(weight).max(axis=(1, 2, 3)) if per_channel else np.abs(weight).max()
    scale = (largest / np.float32(63)).astype(np.float32)
    steps = weight / (scale.reshape(-1, 1, 1, 1) if per_channel else scale)
    arrays[name] = np.rint(steps).astype(np.int8)
    arrays[f"{name}_scale"], arrays[f"{name}_zero"] = scale, np.zeros_like(scale, np.int8)
    inputs = [name, f"{name}_scale", f"{name}_zero"]
    nodes.append(helper.make_node("DequantizeLinear", inputs, [f"{name}_float"], axis=0 if per_channel else 1))
    return f"{name}_float"


def unfused():
    """The convolutions with quantized inputs, whose sums go on in float32: no integer operator can take their place."""
    nodes, arrays, previous, scheme = [], {}, "image", IMAGE_SCALE
    for layer in range(LAYERS):
        inputs = [pair(nodes, arrays, previous, scheme), int8_weight(nodes, arrays, layer, per_channel=False)]
        nodes.append(helper.make_node("Conv", inputs, [f"sum_{layer}"], pads=[1] * 4))
        nodes.append(helper.make_node("Sigmoid", [f"sum_{layer}"], [f"sigmoid_{layer}"]))
        previous, scheme = f"sigmoid_{layer}", SIGMOID_SCALE
    return model("unfused", nodes, [value("image", IMAGE)], [value(previous, IMAGE)], arrays)


def per_channel():
    """The convolutions with quantized inputs and sums, and a scale for each channel of their weights."""
    nodes, arrays, previous, scheme = [], {}, "image", IMAGE_SCALE
    for layer in range(LAYERS):
        inputs = [pair(nodes, arrays, previous, scheme), int8_weight(nodes, arrays, layer, per_channel=True)]
        nodes.append(helper.make_node("Conv", inputs, [f"sum_{layer}"], pads=[1] * 4))
        total = pair(nodes, arrays, f"sum_{layer}", SUM_SCALE)
        nodes.append(helper.make_node("Sigmoid", [total], [f"sigmoid_{layer}"]))
        previous, scheme = f"sigmoid_{layer}", SIGMOID_SCALE
    last = pair(nodes, arrays, previous, scheme)
    nodes.append(helper.make_node("Identity", [last], ["y"]))
    return model("per_channel", nodes, [value("image", IMAGE)], [value("y", IMAGE)], arrays)


def pointwise():
    """Three 1x1 convolutions over 64x64 pixels: little arithmetic on large activations."""
    shape = [BATCH, CHANNELS, POINTWISE_PIXELS, POINTWISE_PIXELS]
    nodes, arrays, previous = [], {}, "image"
    for layer in range(LAYERS):
        arrays[f"weight_{layer}"] = random_floats(layer, CHANNELS, CHANNELS, 1, 1)
        nodes.append(helper.make_node("Conv", [previous, f"weight_{layer}"], [f"sum_{layer}"]))
        previous = f"sum_{layer}"
    return model("pointwise", nodes, [value("image", shape)], [value(previous, shape)], arrays)


def pointwise_dynamic():
    """The same, quantized as it runs."""
    return quantized(pointwise(), quantize_dynamic, weight_type=QuantType.QUInt8, op_types_to_quantize=["Conv"])


def products(element_type):
    """Products of matrices with their halves exchanged in between, which is moving data in whatever precision."""
    numbers = np.float16 if element_type == FLOAT16 else np.float32
    shape = [BATCH, ROWS, FEATURES]
    arrays = {"start": np.array([ROWS // 2]), "end": np.array([ROWS // 2 + ROWS]), "axis": np.array([1])}
    nodes, previous = [], "x"
    if element_type == FLOAT16:
        nodes.append(helper.make_node("Cast", ["x"], ["x_short"], to=FLOAT16))
        previous = "x_short"
    for layer in range(LAYERS):
        arrays[f"weight_{layer}"] = random_floats(layer, FEATURES, FEATURES).astype(numbers)
        nodes.append(helper.make_node("MatMul", [previous, f"weight_{layer}"], [f"product_{layer}"]))
        nodes.append(helper.make_node("Concat", [f"product_{layer}"] * 2, [f"twice_{layer}"], axis=1))
        nodes.append(helper.make_node("Slice", [f"twice_{layer}", "start", "end", "axis"], [f"turned_{layer}"]))
        previous = f"turned_{layer}"
    if element_type == FLOAT16:
        nodes.append(helper.make_node("Cast", [previous], ["y"], to=FLOAT))
        previous = "y"
    return model("products", nodes, [value("x", shape)], [value(previous, shape)], arrays)


def decaying(factor):
    """Six divisions of numbers that were multiplied by `factor`."""
    shape = [BATCH, ELEMENTS]
    nodes, previous = [helper.make_node("Mul", ["x", "factor"], ["scaled"])], "scaled"
    for layer in range(2 * LAYERS):
        nodes.append(helper.make_node("Div", [previous, "divisor"], [f"quotient_{layer}"]))
        previous = f"quotient_{layer}"
    arrays = {"factor": np.array(factor, np.float32), "divisor": np.array(1.25, np.float32)}
    return model("decaying", nodes, [value("x", shape)], [value(previous, shape)], arrays)


IMAGES = {"image": random_floats(11, 2, CHANNELS, PIXELS, PIXELS)}
LARGE_IMAGES = {"image": random_floats(12, 2, CHANNELS, POINTWISE_PIXELS, POINTWISE_PIXELS)}
MATRICES = {"x": random_floats(13, 2, ROWS, FEATURES)}
VECTORS = {"x": random_floats(14, 2, ELEMENTS)}
CONV_SHAPE, LARGE_SHAPE = (2, CHANNELS, PIXELS, PIXELS), LARGE_IMAGES["image"].shape
ARTIFACTS = [
    fixture("planted/pairs/pairs-fp32", "three 3x3 convolutions with sigmoids; random weights",
            convolutions, IMAGES, {"sigmoid_2": CONV_SHAPE}),
    fixture("planted/pairs/pairs-unfused", "the same with QDQ pairs before the convolutions and none behind them, so that "
            "ONNX Runtime cannot fuse them", unfused, IMAGES, {"sigmoid_2": CONV_SHAPE}),
    fixture("planted/pairs/pairs-per-channel", "the same with QDQ pairs everywhere and int8 weights per channel, which ONNX "
            "Runtime fuses", per_channel, IMAGES, {"y": CONV_SHAPE}),
    fixture("planted/half/half-fp32", "three matrix products with data movement in between; random weights",
            lambda: products(FLOAT), MATRICES, {"turned_2": (2, ROWS, FEATURES)}),
    fixture("planted/half/half-fp16", "the same in float16, which ONNX Runtime casts for every product where it has no "
            "float16 kernels", lambda: products(FLOAT16), MATRICES, {"y": (2, ROWS, FEATURES)}),
    fixture("planted/dynamic/dynamic-fp32", "three 1x1 convolutions over 64x64 pixels; random weights",
            pointwise, LARGE_IMAGES, {"sum_2": LARGE_SHAPE}),
    fixture("planted/dynamic/dynamic-int8", "the same through `quantize_dynamic`, uint8 weights: conversions take longer than "
            "what they save", pointwise_dynamic, LARGE_IMAGES, {"sum_2": LARGE_SHAPE}),
    fixture("planted/denormals/denormals-normal", "six divisions of the input itself",
            lambda: decaying(1.0), VECTORS, {"quotient_5": (2, ELEMENTS)}),
    fixture("planted/denormals/denormals-denormal", "the same on the input times 2^-130, which is denormal in float32",
            lambda: decaying(2.0**-130), VECTORS, {"quotient_5": (2, ELEMENTS)}),
]  # fmt: skip
