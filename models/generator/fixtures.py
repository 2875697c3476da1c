"""All fixtures that load and run."""

from . import encoder, formats, inputs, operators

ARTIFACTS = [*encoder.ARTIFACTS, *inputs.ARTIFACTS, *operators.ARTIFACTS, *formats.ARTIFACTS]
