"""Takes the pictures of the first page: a real run's answer in a terminal, and its page in a browser.

    python3 -m pip install rich
    python3 benches/pictures/take.py --onnxprof target/release/onnxprof

Profiles `models/digits` as the first command does (a minute, on an idle machine), and writes `terminal.png`, `page.png` and
`taken.json` beside itself. `taken.json` has the SHA-256 of what decides how they look; a test says when that has changed.
Needs Chromium, found by `ONNXPROF_CHROMIUM` or on the path.
"""

import argparse
import fcntl
import hashlib
import io
import json
import os
import pathlib
import pty
import shutil
import struct
import subprocess
import tempfile
import termios

from rich.console import Console
from rich.terminal_theme import MONOKAI
from rich.text import Text

HERE = pathlib.Path(__file__).parent
ROOT = HERE.parent.parent
COLUMNS, LINES = 102, 24
# Pixels of a character and of a line in the picture of the terminal, and the page's window.
CHARACTER, LINE, MARGIN = 8.43, 19, 16
WINDOW = (1280, 1000)
# What terminal and page say of one made-up run, and how the page is laid out.
DECIDES = [
    "tests/it/snapshots/it__report__screen_of_the_digits_run.snap",
    "tests/it/snapshots/it__html__html_report_of_the_digits_run.snap",
    "src/report/paper/templates/report.css",
]


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--onnxprof", required=True, type=pathlib.Path, help="the built program")
    onnxprof = parser.parse_args().onnxprof.resolve()
    with tempfile.TemporaryDirectory() as folder:
        run = pathlib.Path(folder) / "run"
        answer = printed([onnxprof, "profile", "models/digits", "--out", run])
        terminal = pathlib.Path(folder) / "terminal.html"
        terminal.write_text(as_page("$ onnxprof profile models/digits\n" + answer))
        size = (round(COLUMNS * CHARACTER) + 2 * MARGIN, LINES * LINE + 2 * MARGIN)
        screenshot(terminal, HERE / "terminal.png", size)
        screenshot(run / "report.html", HERE / "page.png", WINDOW)
    sums = {path: hashlib.sha256((ROOT / path).read_bytes()).hexdigest() for path in DECIDES}
    (HERE / "taken.json").write_text(json.dumps(sums, indent=1) + "\n")


def printed(command):
    """What `command` prints into a terminal of `COLUMNS` columns, with its colours."""
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", LINES, COLUMNS, 0, 0))
    environment = os.environ | {"TERM": "xterm-256color"}
    child = subprocess.Popen(command, cwd=ROOT, env=environment, stdin=theirs, stdout=theirs, stderr=subprocess.DEVNULL)
    os.close(theirs)
    told = bytearray()
    try:
        while piece := os.read(ours, 65536):
            told += piece
    except OSError:
        pass  # How Linux ends the reading of a terminal that nobody has open any more.
    if child.wait() != 0:
        raise SystemExit(f"{command[0]} failed with exit code {child.returncode}")
    return told.decode().replace("\r\n", "\n")


def as_page(text):
    """The first `LINES` lines of what a terminal was sent, as an HTML page."""
    console = Console(record=True, file=io.StringIO(), width=COLUMNS, force_terminal=True, legacy_windows=False)
    for line in text.splitlines()[:LINES]:
        console.print(Text.from_ansi(line), soft_wrap=True)
    body = f"margin: {MARGIN}px; color: {MONOKAI.foreground_color.hex}; background: {MONOKAI.background_color.hex}"
    style = f"body {{ {body} }} pre {{ margin: 0; font: 14px/{LINE}px 'DejaVu Sans Mono', monospace }}"
    code = console.export_html(theme=MONOKAI, inline_styles=True, code_format="{code}")
    return f"<!DOCTYPE html><meta charset=utf-8><style>{style}</style><pre>{code}</pre>"


def screenshot(page, picture, size):
    """What Chromium shows of a page in a window of `size` pixels."""
    chromium = os.environ.get("ONNXPROF_CHROMIUM") or shutil.which("chromium") or shutil.which("google-chrome")
    if not chromium:
        raise SystemExit("Chromium is needed: install it, or name it by ONNXPROF_CHROMIUM")
    window = f"--window-size={size[0]},{size[1]}"
    words = ["--headless", "--no-sandbox", "--hide-scrollbars", "--virtual-time-budget=10000", window]
    subprocess.run([chromium, *words, f"--screenshot={picture}", page.as_uri()], check=True, stderr=subprocess.DEVNULL)


if __name__ == "__main__":
    main()
