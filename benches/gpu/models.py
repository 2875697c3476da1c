"""Networks of the size that GPUs are bought for, with random weights, each as fp32 and fp16.

ResNet-50, DenseNet-121 and VGG-19 are the light ones of the `onnx` package's backend tests, whose weights are made by
constant nodes: here they become random initializers, and the batch axis becomes free. The encoder has the sizes of BERT
base (Devlin et al. 2019): 12 layers, width 768, 12 heads, 3,072 inside, 30,522 words, sequences of 128.
"""

import pathlib
import warnings

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper
from onnxconverter_common import float16

LIGHT = {"resnet50": "light_resnet50.onnx", "densenet121": "light_densenet121.onnx", "vgg19": "light_vgg19.onnx"}
LAYERS, WIDTH, HEADS, INSIDE, WORDS, LENGTH = 12, 768, 12, 3072, 30522, 128
SEED = 7


def write(name, folder):
    """Writes `name`-fp32.onnx and `name`-fp16.onnx into `folder`, unless they are there; returns both paths."""
    folder = pathlib.Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    paths = [folder / f"{name}-{precision}.onnx" for precision in ("fp32", "fp16")]
    if not all(path.exists() for path in paths):
        model = encoder() if name == "bert-base" else light(LIGHT[name])
        onnx.save(model, paths[0])
        with warnings.catch_warnings():
            # Each weight below the smallest fp16 would be a warning of its own.
            warnings.simplefilter("ignore")
            half = float16.convert_float_to_float16(model, keep_io_types=True, disable_shape_infer=True)
        onnx.save(half, paths[1])
    return paths


def light(file):
    """One of the light networks with random weights and a free batch axis."""
    source = pathlib.Path(onnx.__file__).parent / "backend" / "test" / "data" / "light" / file
    model = onnx.load(source)
    graph = model.graph
    random = np.random.default_rng(SEED)
    constants = {tensor.name: numpy_helper.to_array(tensor) for tensor in graph.initializer}
    for node in [node for node in graph.node if node.op_type == "ConstantOfShape"]:
        shape = constants[node.input[0]]
        graph.initializer.append(numpy_helper.from_array(weights(random, shape, node), node.output[0]))
        graph.node.remove(node)
    free_batch(graph, constants)
    names = {tensor.name for tensor in graph.initializer}
    used = {name for node in graph.node for name in node.input}
    kept = [tensor for tensor in graph.initializer if tensor.name in used]
    del graph.initializer[:]
    graph.initializer.extend(kept)
    inputs = [value for value in graph.input if value.name not in names]
    del graph.input[:]
    graph.input.extend(inputs)
    model.ir_version = 8
    onnx.checker.check_model(model)
    return model


def weights(random, shape, node):
    """Weights that keep activations finite: of matrices by their fan-in, of vectors what the network had."""
    if len(shape) > 1:
        return random.normal(0.0, (2.0 / np.prod(shape[1:])) ** 0.5, shape).astype(np.float32)
    value = numpy_helper.to_array(node.attribute[0].t)
    return np.full(shape, value[0], np.float32)


def free_batch(graph, constants):
    """Makes the first axis of inputs and outputs free, and reshapes keep it."""
    for value in [*graph.input, *graph.output]:
        if value.name not in constants:
            value.type.tensor_type.shape.dim[0].dim_param = "batch"
    for node in graph.node:
        if node.op_type == "Reshape":
            name = f"{node.output[0]}_flat"
            graph.initializer.append(numpy_helper.from_array(np.array([0, -1], np.int64), name))
            node.input[1] = name


def encoder():
    """An encoder of BERT base's size; input `ids`, batch x 128 word indices; output batch x 128 x 768."""
    random = np.random.default_rng(SEED)
    nodes, tensors = [], []

    def constant(array, name):
        tensors.append(numpy_helper.from_array(array, name))
        return name

    def weight(name, *shape):
        return constant(random.normal(0.0, 0.02, shape).astype(np.float32), name)

    def add(kind, inputs, name, **attributes):
        nodes.append(helper.make_node(kind, inputs, [name], name=name, **attributes))
        return name

    def linear(value, name, wide_in, wide_out):
        product = add("MatMul", [value, weight(f"{name}_w", wide_in, wide_out)], f"{name}_product")
        return add("Add", [product, weight(f"{name}_b", wide_out)], name)

    def norm(value, name):
        scale = constant(np.ones(WIDTH, np.float32), f"{name}_scale")
        shift = constant(np.zeros(WIDTH, np.float32), f"{name}_shift")
        return add("LayerNormalization", [value, scale, shift], name, axis=-1)

    heads = constant(np.array([0, LENGTH, HEADS, WIDTH // HEADS], np.int64), "heads")
    flat = constant(np.array([0, LENGTH, WIDTH], np.int64), "flat")
    root = constant(np.array((WIDTH // HEADS) ** -0.5, np.float32), "root")
    half = constant(np.array(0.5, np.float32), "half")
    one = constant(np.array(1.0, np.float32), "one")
    root_half = constant(np.array(0.5**0.5, np.float32), "root_half")

    words = add("Gather", [weight("words", WORDS, WIDTH), "ids"], "embedded")
    state = norm(add("Add", [words, weight("places", LENGTH, WIDTH)], "placed"), "norm_0")
    for layer in range(LAYERS):
        of = f"layer{layer}"
        parts = []
        for part, order in (("query", [0, 2, 1, 3]), ("key", [0, 2, 3, 1]), ("value", [0, 2, 1, 3])):
            split = add("Reshape", [linear(state, f"{of}_{part}", WIDTH, WIDTH), heads], f"{of}_{part}_split")
            parts.append(add("Transpose", [split], f"{of}_{part}_heads", perm=order))
        scores = add("Mul", [add("MatMul", parts[:2], f"{of}_scores"), root], f"{of}_scaled")
        mixed = add("MatMul", [add("Softmax", [scores], f"{of}_shares", axis=-1), parts[2]], f"{of}_mixed")
        joined = add("Reshape", [add("Transpose", [mixed], f"{of}_back", perm=[0, 2, 1, 3]), flat], f"{of}_joined")
        state = norm(add("Add", [state, linear(joined, f"{of}_out", WIDTH, WIDTH)], f"{of}_sum"), f"{of}_norm")
        inside = linear(state, f"{of}_inside", WIDTH, INSIDE)
        error = add("Add", [add("Erf", [add("Mul", [inside, root_half], f"{of}_u")], f"{of}_erf"), one], f"{of}_v")
        gelu = add("Mul", [add("Mul", [inside, error], f"{of}_w"), half], f"{of}_gelu")
        last = "encoded" if layer == LAYERS - 1 else f"{of}_norm2"
        state = norm(add("Add", [state, linear(gelu, f"{of}_outside", INSIDE, WIDTH)], f"{of}_sum2"), last)
    graph = helper.make_graph(
        nodes,
        "bert-base-random",
        [helper.make_tensor_value_info("ids", TensorProto.INT64, ["batch", LENGTH])],
        [helper.make_tensor_value_info("encoded", TensorProto.FLOAT, ["batch", LENGTH, WIDTH])],
        tensors,
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    onnx.checker.check_model(model)
    return model
