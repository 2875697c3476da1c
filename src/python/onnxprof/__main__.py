"""``python -m onnxprof``: the command itself."""

import os
import sys

from ._binary import find_binary
from ._errors import BinaryNotFoundError


def main() -> None:
    """Becomes the command, with the words of this one."""
    try:
        binary = find_binary()
    except BinaryNotFoundError as error:
        sys.exit(f"error: {error}")
    sys.stdout.flush()
    os.execv(binary, [str(binary), *sys.argv[1:]])


if __name__ == "__main__":
    main()
