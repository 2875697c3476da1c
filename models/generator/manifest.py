"""The tables of README.md: one row for each file, written after a build and compared by `--check`."""

import hashlib
import re
from typing import NamedTuple

HEADER = "| file | bytes | SHA-256 | how it was made |\n| --- | ---: | --- | --- |\n"
ROW = re.compile(r"^\| `(?P<path>[^`]+)` \| (?P<bytes>\d+) \| `(?P<digest>[0-9a-f]{64})` \|", re.MULTILINE)


class Row(NamedTuple):
    """A file's size in bytes and its SHA-256 in hexadecimal."""

    bytes: int
    digest: str


def measured(path):
    """The row of the file as it lies there."""
    content = path.read_bytes()
    return Row(len(content), hashlib.sha256(content).hexdigest())


def write(readme, root, sections):
    """Replaces the tables. `sections` maps a table's name to its files and how each was made."""
    text = readme.read_text()
    for name, files in sections.items():
        begin, end = f"<!-- table: {name} -->\n", f"<!-- end: {name} -->"
        before, rest = text.split(begin)
        _, after = rest.split(end)
        text = before + begin + table(root, files) + end + after
    readme.write_text(text)


def table(root, files):
    """One Markdown table."""
    rows = [(path, measured(root / path), how) for path, how in files.items()]
    return HEADER + "".join(f"| `{path}` | {row.bytes} | `{row.digest}` | {how} |\n" for path, row, how in rows)


def read(readme):
    """The rows of all tables, by path."""
    found = ROW.finditer(readme.read_text())
    return {row["path"]: Row(int(row["bytes"]), row["digest"]) for row in found}
