"""What a file of this folder is: where it lies, how it was made, how it is built and how it is checked."""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from .graphs import save
from .runtime import expect_shapes, run

MODELS = Path(__file__).resolve().parent.parent


@dataclass(frozen=True)
class Artifact:
    """A file, or a model with the files that belong to it.

    `build` writes `path` and `companions` below the folder that it is given. `check` raises unless the
    file there behaves as stated. `companions` maps further paths to how they were made. `result` says
    what running the built file adds to `how`.
    """

    path: str
    how: str
    build: Callable[[Path], None]
    check: Callable[[Path], None]
    companions: dict[str, str] = field(default_factory=dict)
    result: Callable[[Path], str] | None = None

    def rows(self, root):
        """Every file with how it was made."""
        how = f"{self.how}; {self.result(root)}" if self.result else self.how
        return {self.path: how, **self.companions}

    def paths(self):
        """Every file."""
        return [self.path, *self.companions]


def fixture(name, how, make, feeds, shapes):
    """A model made by `make`, which turns `feeds` into outputs of the given `shapes`."""
    path = f"fixtures/{name}.onnx"
    return Artifact(
        path,
        how,
        build=lambda root: save(make(), root / path),
        check=lambda root: expect_shapes(run(root / path, feeds), shapes),
    )
