"""Builds every model of this folder and the tables of its README.md, or checks what lies there.

Without arguments it builds all, checks all and writes the tables. `--only fixtures` does so for one part.
`--check` changes nothing: it compares the sums and runs the models.
"""

import argparse
import logging
import sys

from generator import (
    batches,
    broken,
    corpus,
    decoders,
    digits,
    fixtures,
    labels,
    layouts,
    manifest,
    outputs,
    pictures,
    planted,
    steering,
)
from generator.artifact import MODELS

PARTS = {
    "digits": digits.ARTIFACTS,
    "fixtures": fixtures.ARTIFACTS,
    "labels": labels.ARTIFACTS,
    "batches": batches.ARTIFACTS,
    "outputs": outputs.ARTIFACTS,
    "planted": planted.ARTIFACTS,
    "broken": broken.ARTIFACTS,
    "layouts": layouts.ARTIFACTS,
    "steering": steering.ARTIFACTS,
    "decoders": decoders.ARTIFACTS,
    "pictures": pictures.ARTIFACTS,
    "corpus": corpus.ARTIFACTS,
}
FOLDERS = ("digits", "fixtures", "corpus")
README = MODELS / "README.md"
LIMIT_BYTES = 10_000_000


def main():
    """Returns the exit status: 0, or 1 where a sum or a behaviour is not as stated."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--check", action="store_true", help="compare sums and run the models, write nothing")
    parser.add_argument("--only", choices=PARTS, help="one part instead of all")
    arguments = parser.parse_args()
    # The quantizer advises its own preprocessing, which these graphs do not need.
    logging.getLogger().setLevel(logging.ERROR)
    parts = {arguments.only: PARTS[arguments.only]} if arguments.only else PARTS
    if not arguments.check:
        build(parts)
    faults = behaviour_faults(parts)
    if not arguments.check and not faults:
        manifest.write(README, MODELS, {name: rows(artifacts) for name, artifacts in parts.items()})
    faults += sum_faults()
    print("\n".join(faults) or "all files are as stated", file=sys.stderr if faults else sys.stdout)
    return 1 if faults else 0


def build(parts):
    """Writes the files of all `parts`, in their order."""
    for artifact in everything(parts):
        print(f"building {artifact.path}")
        (MODELS / artifact.path).parent.mkdir(parents=True, exist_ok=True)
        artifact.build(MODELS)


def behaviour_faults(parts):
    """What does not behave as its artifact states."""
    return list(filter(None, map(behaviour_fault, everything(parts))))


def behaviour_fault(artifact):
    """Why the artifact fails its check, or nothing."""
    try:
        artifact.check(MODELS)
    except Exception as error:  # noqa: BLE001 - a check fails by whatever ONNX Runtime raises
        return f"{artifact.path}: {error}"
    return None


def sum_faults():
    """Where the folder and the tables of the README disagree."""
    stated = manifest.read(README)
    files = {path for artifact in everything(PARTS) for path in artifact.paths()}
    found = {str(file.relative_to(MODELS)) for part in FOLDERS for file in (MODELS / part).rglob("*") if file.is_file()}
    faults = [f"{path}: is nobody's" for path in sorted((found | stated.keys()) - files)]
    for path in sorted(files):
        if path not in found or manifest.measured(MODELS / path) != stated.get(path):
            faults.append(f"{path}: differs from README.md")
    total = sum((MODELS / path).stat().st_size for path in found)
    return faults + ([f"the models take {total} bytes together"] if total > LIMIT_BYTES else [])


def everything(parts):
    """The artifacts of all parts in one list."""
    return [artifact for artifacts in parts.values() for artifact in artifacts]


def rows(artifacts):
    """Every file of `artifacts` with how it was made."""
    return {path: how for artifact in artifacts for path, how in artifact.rows(MODELS).items()}


if __name__ == "__main__":
    sys.exit(main())
