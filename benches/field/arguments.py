"""What the Python package of ONNX Runtime says when it refuses to load a model or to run its test data, as JSON; null if it does not.

    python3 benches/field/arguments.py MODEL
"""

import json
import pathlib
import sys

import numpy
import onnx
import onnxruntime
from onnx import numpy_helper

TENSOR = onnx.TensorProto
# Element types that numpy has no type for: their bytes go in with the type beside them.
OF_BYTES = {getattr(TENSOR, name): name for name in dir(TENSOR) if name.startswith(("FLOAT8", "FLOAT4", "INT4", "UINT4", "INT2", "UINT2"))}


def main():
    """Prints what is said."""
    path = pathlib.Path(sys.argv[1])
    print(json.dumps(refusal(path)))


def refusal(path):
    """What the package says; none if it runs the model."""
    onnxruntime.set_default_logger_severity(4)
    try:
        session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
        folder = path.parent / "test_data_set_0"
        if folder.is_dir():
            session.run_with_ort_values(None, given(path, folder))
    except Exception as error:  # noqa: BLE001 - whatever a session raises is a refusal
        return str(error)
    return None


def given(path, folder):
    """The test data of a model by the names of its inputs; optional inputs without a value are left out."""
    graph = onnx.load(str(path), load_external_data=False).graph
    weights = {tensor.name for tensor in graph.initializer}
    inputs = [value for value in graph.input if value.name not in weights]
    values = {value.name: read(value.type, folder / f"input_{place}.pb") for place, value in enumerate(inputs)}
    return {name: value for name, value in values.items() if value is not None}


def read(kind, path):
    """The value in a file, for an input of that type."""
    content = path.read_bytes()
    if kind.HasField("sequence_type"):
        return sequence(kind.sequence_type, onnx.SequenceProto.FromString(content))
    if kind.HasField("optional_type"):
        optional = onnx.OptionalProto.FromString(content)
        if optional.HasField("tensor_value"):
            return tensor(optional.tensor_value)
        if optional.HasField("sequence_value"):
            return sequence(kind.optional_type.elem_type.sequence_type, optional.sequence_value)
        return None
    return tensor(TENSOR.FromString(content), kind.tensor_type.elem_type)


def tensor(stored, wanted=None):
    """A value of a tensor. Files of old versions keep bfloat16 numbers as their bits."""
    kind = stored.data_type
    if kind in OF_BYTES or TENSOR.BFLOAT16 in (kind, wanted):
        kind = kind if kind in OF_BYTES else TENSOR.BFLOAT16
        array = numpy_helper.to_array(stored)
        codes = array.view(numpy.uint16 if array.dtype.itemsize == 2 else numpy.uint8)
        return onnxruntime.OrtValue.ortvalue_from_numpy_with_onnx_type(codes, kind)
    return onnxruntime.OrtValue.ortvalue_from_numpy(numpy_helper.to_array(stored))


def sequence(kind, stored):
    """A value of a sequence, which is what a model makes of its tensors: there is no other way to one in the package."""
    elements = [numpy_helper.to_array(one) for one in stored.tensor_values]
    names = [f"x{place}" for place in range(len(elements))]
    element_type = kind.elem_type.tensor_type.elem_type
    info = onnx.helper.make_tensor_value_info
    node = onnx.helper.make_node("SequenceConstruct", names, ["y"])
    if not elements:
        node = onnx.helper.make_node("SequenceEmpty", [], ["y"], dtype=element_type)
    output = onnx.helper.make_tensor_sequence_value_info("y", element_type, None)
    graph = onnx.helper.make_graph([node], "g", [info(name, element_type, None) for name in names], [output])
    model = onnx.helper.make_model(graph, opset_imports=[onnx.helper.make_opsetid("", 17)], ir_version=8)
    session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    feed = {name: onnxruntime.OrtValue.ortvalue_from_numpy(element) for name, element in zip(names, elements, strict=True)}
    return session.run_with_ort_values(None, feed)[0]


if __name__ == "__main__":
    main()
