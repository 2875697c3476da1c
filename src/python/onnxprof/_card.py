"""Cards for notebooks, made of the words and tables that the command prints."""

from __future__ import annotations

import html
import re
from collections.abc import Iterable, Sequence
from typing import Optional

#: Decisions and verdicts: a word for the badge, and its colour, which holds on light and dark.
_BADGES = {
    "ship": ("Ship", "#2e7d32"),
    "keep": ("Keep", "#1565c0"),
    "undecided": ("Undecided", "#8d6e00"),
    "do_not_ship": ("Do not ship", "#c62828"),
    "no_answer": ("No answer", "#616161"),
    "pass": ("Pass", "#2e7d32"),
    "fail": ("Fail", "#c62828"),
    "inconclusive": ("Inconclusive", "#8d6e00"),
}

_STYLE = """<style>
.onnxprof { border: 1px solid #8886; border-radius: 6px; padding: 12px 16px; max-width: 960px;
  font: 14px/1.45 system-ui, sans-serif; }
.onnxprof .badge { color: #fff; border-radius: 4px; padding: 2px 8px; font-weight: 600; }
.onnxprof .verdict { font-weight: 600; margin: 8px 0; }
.onnxprof .warning { border-left: 3px solid #c62828; padding-left: 8px; margin: 8px 0; }
.onnxprof ul { margin: 4px 0; padding-left: 20px; }
.onnxprof table { border-collapse: collapse; margin: 8px 0 0; font-size: 13px; }
.onnxprof th, .onnxprof td { text-align: left; padding: 3px 12px 3px 0; white-space: nowrap; }
.onnxprof tr { border-bottom: 1px solid #8884; }
.onnxprof .path { opacity: 0.7; font-size: 12px; margin-top: 8px; }
</style>"""


def answer_card(decision: Optional[str], report: str, place: str) -> str:
    """The head of a written report as HTML: warnings, verdict, remarks, and the first table.

    Args:
        decision: decision of the run.
        report: the report in Markdown.
        place: path at which there is more.
    """
    blocks = [_block(lines) for lines in _head(report)]
    return _card(decision, [*blocks, f'<div class="path">{html.escape(place)}</div>'])


def gate_card(
    verdict: str, words: str, rows: Iterable[Sequence[str]], remarks: Iterable[str]
) -> str:
    """The result of a gate as HTML: one row for each check."""
    table = _table([("verdict", "rule", "variant", "batch"), *rows])
    notes = _list(html.escape(remark) for remark in remarks)
    return _card(verdict, [f'<div class="verdict">{html.escape(words)}</div>', table, notes])


def _card(decision: Optional[str], blocks: Iterable[str]) -> str:
    word, colour = _BADGES.get(decision or "", ("Not judged", "#616161"))
    badge = f'<span class="badge" style="background: {colour}">{word}</span>'
    return "\n".join([_STYLE, '<div class="onnxprof">', badge, *filter(None, blocks), "</div>"])


def _head(report: str) -> Iterable[list[str]]:
    """Blocks of lines after the title, up to the first table."""
    for block in re.split(r"\n\s*\n", report.strip())[1:]:
        lines = block.splitlines()
        if lines[0].startswith(("![", "## ", "How to read")):
            continue
        yield lines
        if lines[0].startswith("|"):
            return


def _block(lines: Sequence[str]) -> str:
    first = lines[0]
    if first.startswith("|"):
        return _markdown_table(lines)
    if first.startswith("> "):
        text = " ".join(line.removeprefix("> ") for line in lines)
        # What follows the strong words points into the report.
        strong = re.match(r"\*\*.+?\*\*", text)
        return f'<div class="warning">{_inline(strong[0] if strong else text)}</div>'
    if first.startswith("- "):
        return _list(_inline(line.removeprefix("- ")) for line in lines)
    return f'<div class="verdict">{_inline(" ".join(lines).strip("*"))}</div>'


def _list(items: Iterable[str]) -> str:
    entries = "".join(f"<li>{item}</li>" for item in items)
    return f"<ul>{entries}</ul>" if entries else ""


def _markdown_table(lines: Sequence[str]) -> str:
    header, _, *rows = (re.split(r"(?<!\\)\|", line)[1:-1] for line in lines)
    return _table_of([[_inline(cell.strip()) for cell in row] for row in (header, *rows)])


def _table(rows: Iterable[Sequence[str]]) -> str:
    return _table_of([[html.escape(cell) for cell in row] for row in rows])


def _table_of(rows: Sequence[Sequence[str]]) -> str:
    """A table of HTML cells, the first row of which is its header."""
    header, *body = rows
    head = "".join(f"<th>{cell}</th>" for cell in header)
    lines = ("".join(f"<td>{cell}</td>" for cell in row) for row in body)
    return f"<table><tr>{head}</tr>" + "".join(f"<tr>{line}</tr>" for line in lines) + "</table>"


def _inline(text: str) -> str:
    """Markdown within a line: code, strong words, and escaped characters."""
    pattern = r"`([^`]+)`|\*\*(.+?)\*\*|\\([^\w\s])"
    parts, end = [], 0
    for found in re.finditer(pattern, text):
        parts.append(_plain(text[end : found.start()]))
        code, strong, escaped = found.groups()
        if code is not None:
            parts.append(f"<code>{html.escape(code)}</code>")
        elif strong is not None:
            parts.append(f"<strong>{_inline(strong)}</strong>")
        else:
            parts.append(html.escape(escaped))
        end = found.end()
    return "".join([*parts, _plain(text[end:])])


def _plain(text: str) -> str:
    """Reports write `<` and `&` as entities, which stay what they are."""
    return html.escape(html.unescape(text))
