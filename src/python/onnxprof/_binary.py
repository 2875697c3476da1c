"""The command: where it is, and calling it."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sysconfig
import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Callable, Optional

from ._errors import BinaryNotFoundError, InternalError, of_exit_code

#: Version of the envelope of ``--json`` that is read here, up to its first number.
_SCHEMA = "urn:onnxprof:json:1."

#: What a line of progress is given to.
Listener = Callable[[str], None]


def find_binary() -> Path:
    """The command: ``ONNXPROF_BIN``, else the one that was installed with this module, else PATH's.

    Raises:
        BinaryNotFoundError: there is none, or ``ONNXPROF_BIN`` names no program.
    """
    named = os.environ.get("ONNXPROF_BIN")
    if named:
        if not _is_program(Path(named)):
            raise BinaryNotFoundError(f"`ONNXPROF_BIN` names no program: `{named}`")
        return Path(named).absolute()
    sought = [folder / "onnxprof" for folder in _scripts_folders()]
    for path in sought:
        if _is_program(path):
            return path
    on_path = shutil.which("onnxprof")
    if on_path:
        return Path(on_path).absolute()
    places = ", ".join(f"`{path}`" for path in sought)
    raise BinaryNotFoundError(
        f"the command `onnxprof` is neither on PATH nor at {places}\n"
        "hint: install the package, or set `ONNXPROF_BIN` to the program"
    )


def _scripts_folders() -> Iterator[Path]:
    """Where installers put the programs of a package: of the environment, the user, `--target`."""
    yield Path(sysconfig.get_path("scripts"))
    yield Path(sysconfig.get_path("scripts", "posix_user"))
    yield Path(__file__).resolve().parent.parent / "bin"


def _is_program(path: Path) -> bool:
    return path.is_file() and os.access(path, os.X_OK)


@dataclass(frozen=True)
class Ended:
    """A command that has ended."""

    command: tuple[str, ...]
    exit_code: int
    stdout: str
    stderr: str

    @property
    def words(self) -> str:
        """What it said of its failure: stderr from the last line that begins with ``error:``."""
        lines = self.stderr.splitlines()
        begins = [at for at, line in enumerate(lines) if line.startswith("error:")]
        return "\n".join(lines[begins[-1] if begins else 0 :]).strip().removeprefix("error: ")

    def require(self, *exit_codes: int) -> Ended:
        """This one, if it ended with one of these codes.

        Raises:
            OnnxprofError: it ended with another one.
        """
        if self.exit_code not in exit_codes:
            raise of_exit_code(self.exit_code, self.words, self.command)
        return self

    def document(self) -> dict[str, Any]:
        """The envelope of ``--json``: ``schema``, ``command``, ``answer`` and ``data``.

        Raises:
            InternalError: stdout holds no such document, or one of another major version.
        """
        try:
            found = json.loads(self.stdout)
            schema = found["schema"]
        except (ValueError, KeyError, TypeError) as error:
            raise self._unread(f"it printed no JSON document: {error}") from error
        if not str(schema).startswith(_SCHEMA):
            raise self._unread(f"it speaks `{schema}`, and this module `{_SCHEMA}x`")
        return dict(found)

    def _unread(self, why: str) -> InternalError:
        words = f"cannot read the output of `{self.command[0]}`: {why}"
        return InternalError(words, exit_code=self.exit_code, command=self.command)


def call(words: Sequence[str]) -> Ended:
    """Runs the command without showing anything."""
    command = (str(find_binary()), *words)
    done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, check=False)
    return Ended(command, done.returncode, _text(done.stdout), _text(done.stderr))


def call_aloud(words: Sequence[str], listener: Optional[Listener]) -> Ended:
    """Runs the command, and gives each line of its stderr to the listener as it comes.

    An interrupt of this process is passed on once, so that the command ends by itself and keeps
    what it has measured, and is raised again afterwards.
    """
    command = (str(find_binary()), *words)
    # In a session of its own, so that the Ctrl-C of a terminal reaches it once, and from here.
    child = subprocess.Popen(
        command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        start_new_session=True,
    )
    assert child.stdout is not None and child.stderr is not None
    stdout: list[bytes] = []
    reader = threading.Thread(target=lambda pipe: stdout.append(pipe.read()), args=(child.stdout,))
    reader.start()
    stderr: list[str] = []
    try:
        for line in child.stderr:
            stderr.append(_text(line))
            if listener is not None:
                listener(stderr[-1].rstrip("\n"))
        child.wait()
    except BaseException:
        child.send_signal(signal.SIGINT)
        raise
    finally:
        stderr += [_text(line) for line in child.stderr]
        child.wait()
        reader.join()
    return Ended(command, child.returncode, _text(b"".join(stdout)), "".join(stderr))


def _text(data: bytes) -> str:
    return data.decode("utf-8", errors="replace")
