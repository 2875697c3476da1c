"""Short hands over `onnx.helper`: values, constants, whole models, and one way to save them."""

import onnx
from onnx import TensorProto, checker, helper, numpy_helper

BATCH = "batch"
OPSET = 17
IR_VERSION = 8
FLOAT = TensorProto.FLOAT
INT64 = TensorProto.INT64


def value(name, shape, element_type=FLOAT):
    """A graph input or output; a string in `shape` is a symbolic dimension."""
    return helper.make_tensor_value_info(name, element_type, shape)


def constants(arrays):
    """Initializers from a dictionary of numpy arrays."""
    return [numpy_helper.from_array(array, name) for name, array in arrays.items()]


def model(name, nodes, inputs, outputs, arrays=None, **fields):
    """A checked model. `fields` may set `opset`, `ir_version`, `domains` (name to version), `functions` and `about`."""
    name_nodes(nodes)
    graph = helper.make_graph(nodes, name, inputs, outputs, constants(arrays or {}))
    opsets = {"": fields.get("opset", OPSET), **fields.get("domains", {})}
    proto = helper.make_model(
        graph,
        producer_name="onnxprof-models",
        ir_version=fields.get("ir_version", IR_VERSION),
        opset_imports=[helper.make_opsetid(domain, version) for domain, version in opsets.items()],
        functions=fields.get("functions"),
    )
    describe(proto, fields.get("about", {}))
    checker.check_model(proto, full_check=True)
    return proto


def name_nodes(nodes):
    """Names the nameless ones by operator and place."""
    for index, node in enumerate(nodes):
        node.name = node.name or f"{node.op_type}_{index}"


def describe(proto, about):
    """Sets the model's metadata, in the order of its keys."""
    del proto.metadata_props[:]
    helper.set_model_props(proto, dict(sorted(about.items())))


def save(proto, path):
    """Writes `proto` so that the same model always gives the same bytes."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(proto.SerializeToString(deterministic=True))


def load(path):
    """Reads a model back."""
    return onnx.load(str(path))
