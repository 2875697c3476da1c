"""ONNX Runtime's quantizers, which work on files, as functions from model to model."""

import tempfile
from pathlib import Path

from onnxruntime.quantization import CalibrationDataReader

from .graphs import describe, load


class Batches(CalibrationDataReader):
    """Calibration feeds, handed out one by one."""

    def __init__(self, feeds):
        self.feeds = iter(feeds)

    def get_next(self):
        return next(self.feeds, None)


def quantized(proto, quantize, **options):
    """`proto` through `quantize`, with the metadata that the quantizer drops."""
    about = {entry.key: entry.value for entry in proto.metadata_props}
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "quantized.onnx"
        quantize(proto, path, **options)
        result = load(path)
    describe(result, about)
    return result
