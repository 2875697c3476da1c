"""Running models through ONNX Runtime's CPU execution provider, on one thread."""

import numpy as np
import onnxruntime as ort


def session(path):
    """A quiet single-threaded session."""
    options = ort.SessionOptions()
    options.intra_op_num_threads = 1
    options.log_severity_level = 4
    return ort.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])


def run(path, feeds):
    """All outputs by name."""
    loaded = session(path)
    names = [output.name for output in loaded.get_outputs()]
    return dict(zip(names, loaded.run(names, feeds), strict=True))


def expect_shapes(outputs, shapes):
    """Asserts the names and shapes of `outputs`, and that every number in them is finite."""
    found = {name: np.shape(array) for name, array in outputs.items()}
    assert found == shapes, f"shapes are {found}, not {shapes}"
    for name, output in outputs.items():
        array = np.asarray(output)
        if np.issubdtype(array.dtype, np.number):
            assert np.isfinite(array).all(), f"output `{name}` is not finite"


def random_floats(seed, *shape):
    """Float32 numbers in -1..1, the same on every machine: each is a whole number over 128."""
    return (np.random.default_rng(seed).integers(-128, 129, size=shape) / 128.0).astype(np.float32)
