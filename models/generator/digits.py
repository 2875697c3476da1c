"""The digits network: data and split, training, export, the three other variants, and the held-out file."""

from typing import NamedTuple

import numpy as np
from onnx import helper, shape_inference
from onnxruntime.quantization import QuantFormat, QuantType, quantize_dynamic, quantize_static
from onnxruntime.transformers.float16 import convert_float_to_float16
from sklearn.datasets import load_digits

from . import cnn
from .artifact import Artifact
from .graphs import BATCH, load, model, save, value
from .quantizing import Batches, quantized
from .runtime import run

FOLDER = "digits"
VARIANTS = {name: f"{FOLDER}/digits-{name}.onnx" for name in ("fp32", "fp16", "int8-dynamic", "int8-static")}
FP32 = VARIANTS["fp32"]
TEST_DATA = f"{FOLDER}/digits-test.npz"
HELD_OUT = 597
LOWEST_ACCURACY = 0.97
PIXEL_MAX = 16.0
RECIPE = cnn.Recipe(epochs=30, batch_size=64, learning_rate=1e-3, weight_decay=1e-2, seed=11)
WEIGHT_SEED = 5
ABOUT = {
    "dataset": "Optical Recognition of Handwritten Digits (Alpaydin and Kaynak, 1998), UCI; CC BY 4.0",
    "split": f"unshuffled; the last {HELD_OUT} of scikit-learn's 1797 images are held out",
}


class Part(NamedTuple):
    """Images [n, 1, 8, 8] in 0..1 and their labels."""

    images: np.ndarray
    labels: np.ndarray


def split():
    """The training and the held-out part, in that order; neighbouring images share a writer, so nothing is shuffled."""
    pixels, labels = load_digits(return_X_y=True)
    images = (pixels / PIXEL_MAX).astype(np.float32).reshape(-1, 1, 8, 8)
    labels = labels.astype(np.int64)
    return Part(images[:-HELD_OUT], labels[:-HELD_OUT]), Part(images[-HELD_OUT:], labels[-HELD_OUT:])


def untrained_layers():
    """Four convolutions and two dense layers, 393,162 weights, biases included."""
    rng = np.random.default_rng(WEIGHT_SEED)
    return [
        cnn.Conv(rng, 1, 32), cnn.Relu(),
        cnn.Conv(rng, 32, 64), cnn.Relu(),
        cnn.Conv(rng, 64, 64), cnn.Relu(), cnn.MaxPool(),
        cnn.Conv(rng, 64, 128), cnn.Relu(), cnn.Flatten(),
        cnn.Dense(rng, 4 * 4 * 128, 128), cnn.Relu(),
        cnn.Dense(rng, 128, 10),
    ]  # fmt: skip


def build_fp32(root):
    """Trains the network and writes it as ONNX."""
    training, _ = split()
    layers = untrained_layers()
    cnn.train(layers, training.images.transpose(0, 2, 3, 1), training.labels, RECIPE)
    save(to_onnx(layers), root / FP32)


def to_onnx(layers):
    """The trained layers as a model from `image` to `logits`, in ONNX's channels-first layout."""
    nodes, arrays, previous = [], {}, "image"
    for index, layer in enumerate(layers):
        operator, attributes = OPERATORS[type(layer)]
        output = "logits" if layer is layers[-1] else f"{operator.lower()}_{index}"
        weights = {f"{output}.{part}": array for part, array in onnx_weights(layer).items()}
        node_name = f"{operator}_{index}"
        nodes.append(helper.make_node(operator, [previous, *weights], [output], node_name, **attributes))
        arrays |= weights
        previous = output
    inputs, outputs = [value("image", [BATCH, 1, 8, 8])], [value("logits", [BATCH, 10])]
    return shape_inference.infer_shapes(model("digits", nodes, inputs, outputs, arrays, about=ABOUT))


OPERATORS = {
    cnn.Conv: ("Conv", {"kernel_shape": [3, 3], "pads": [1, 1, 1, 1]}),
    cnn.Relu: ("Relu", {}),
    cnn.MaxPool: ("MaxPool", {"kernel_shape": [2, 2], "strides": [2, 2]}),
    cnn.Flatten: ("Flatten", {}),
    cnn.Dense: ("Gemm", {}),
}


def onnx_weights(layer):
    """The layer's weights by name; a convolution's as [output, input, row, column]."""
    if isinstance(layer, cnn.Conv):
        kernel = layer.weight.value.reshape(cnn.KERNEL, cnn.KERNEL, -1, layer.bias.value.size)
        return {"weight": np.ascontiguousarray(kernel.transpose(3, 2, 0, 1)), "bias": layer.bias.value}
    if isinstance(layer, cnn.Dense):
        return {"weight": layer.weight.value, "bias": layer.bias.value}
    return {}


def build_fp16(root):
    """Weights and arithmetic in float16; the inputs and outputs stay float32, as in the other variants."""
    variant = convert_float_to_float16(load(root / FP32), keep_io_types=True)
    save(variant, root / VARIANTS["fp16"])


def build_int8_dynamic(root):
    """Weights in 8 bits, activations quantized while running.

    The weights are unsigned: ONNX Runtime 1.23 has no `ConvInteger` for signed ones on the CPU.
    """
    variant = quantized(load(root / FP32), quantize_dynamic, weight_type=QuantType.QUInt8)
    save(variant, root / VARIANTS["int8-dynamic"])


def build_int8_static(root):
    """Weights per channel and activations in 8 bits, between QuantizeLinear and DequantizeLinear.

    The weights use seven of their bits: products of uint8 and int8 are added in 16 bits, and saturate, on
    processors with AVX2 but without VNNI.
    """
    training, _ = split()
    variant = quantized(
        load(root / FP32),
        quantize_static,
        calibration_data_reader=Batches({"image": batch} for batch in np.array_split(training.images, 10)),
        quant_format=QuantFormat.QDQ,
        per_channel=True,
        reduce_range=True,
        activation_type=QuantType.QUInt8,
        weight_type=QuantType.QInt8,
    )
    save(variant, root / VARIANTS["int8-static"])


def build_test_data(root):
    """The held-out images under the model's input name, and their labels."""
    _, held_out = split()
    np.savez(root / TEST_DATA, image=held_out.images, labels=held_out.labels)


def check_test_data(root):
    """The file holds the held-out part of the split and nothing else."""
    _, held_out = split()
    with np.load(root / TEST_DATA) as stored:
        assert sorted(stored) == ["image", "labels"]
        assert np.array_equal(stored["image"], held_out.images)
        assert np.array_equal(stored["labels"], held_out.labels)


def correct_count(path):
    """How many of the held-out images the model at `path` names rightly."""
    _, held_out = split()
    return int((run(path, {"image": held_out.images})["logits"].argmax(axis=1) == held_out.labels).sum())


def variant_artifact(name, build, how):
    """A variant, checked and reported by its held-out top-1."""

    def check(root):
        share = correct_count(root / VARIANTS[name]) / HELD_OUT
        assert share >= LOWEST_ACCURACY, f"held-out top-1 is {share:.1%}"

    def result(root):
        correct = correct_count(root / VARIANTS[name])
        return f"held-out top-1 {correct / HELD_OUT:.1%} ({correct} of {HELD_OUT})"

    return Artifact(VARIANTS[name], how, build, check, result=result)


ARTIFACTS = [
    variant_artifact("fp32", build_fp32, "trained by `generator/cnn.py`, exported with `onnx.helper`"),
    variant_artifact("fp16", build_fp16, "fp32 through `convert_float_to_float16`, `keep_io_types=True`"),
    variant_artifact("int8-dynamic", build_int8_dynamic, "fp32 through `quantize_dynamic`, uint8 weights"),
    variant_artifact(
        "int8-static",
        build_int8_static,
        "fp32 through `quantize_static`: QDQ, per channel, uint8 activations, int8 weights of reduced range, "
        "MinMax calibration on the training images only",
    ),
    Artifact(
        TEST_DATA,
        f"the {HELD_OUT} held-out images (`image`, float32) and their `labels` (int64), `numpy.savez`",
        build_test_data,
        check_test_data,
    ),
]
