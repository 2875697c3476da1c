"""The notebook runs as it stands, and its cards fit the page that they are shown in."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
from conftest import ROOT

nbformat = pytest.importorskip("nbformat")
nbclient = pytest.importorskip("nbclient")
pytest.importorskip("ipykernel")
pytest.importorskip("pandas")

#: Width of the page, in pixels, as a notebook leaves it for what a cell shows.
WIDTH = 1000


@pytest.fixture(scope="module")
def executed(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """The notebook with its outputs, executed in a folder that lies as its own one does."""
    top = tmp_path_factory.mktemp("notebook")
    (top / "models").symlink_to(ROOT / "models")
    folder = top / "src" / "python"
    folder.mkdir(parents=True)
    notebook = nbformat.read(ROOT / "src" / "python" / "example.ipynb", as_version=4)
    client = nbclient.NotebookClient(
        notebook, timeout=120, kernel_name="python3", resources={"metadata": {"path": str(folder)}}
    )
    client.execute()
    return notebook


def _outputs(notebook: Any, kind: str) -> list[str]:
    return [
        output["data"][kind]
        for cell in notebook.cells
        for output in cell.get("outputs", ())
        if kind in output.get("data", {})
    ]


def test_the_notebook_shows_an_answer_tables_and_a_gate(executed: Any) -> None:
    answer, medians, operators, gate = _outputs(executed, "text/html")
    assert answer.count("<tr>") == 5 and "int8-static" in answer
    assert "fp16" in medians and "<table" in operators
    assert "file_size &lt;= 500 kB" in gate


def test_progress_is_shown_below_the_cell_that_measures(executed: Any) -> None:
    measuring = executed.cells[1]["outputs"]
    said = "".join(output["text"] for output in measuring if output["output_type"] == "stream")
    assert "measuring fp32, fp16, int8-dynamic, int8-static" in said and "round 1" in said


def test_cards_are_drawn_within_the_page(executed: Any, tmp_path: Path) -> None:
    chromium = os.environ.get("ONNXPROF_CHROMIUM") or next(
        filter(None, map(shutil.which, ("chromium", "google-chrome"))), None
    )
    if chromium is None:
        pytest.skip("there is no chromium")
    answer, _, _, gate = _outputs(executed, "text/html")
    page = tmp_path / "cards.html"
    page.write_text(
        f'<meta charset="utf-8"><body>{answer}{gate}<script>'
        "const of = s => [...document.querySelectorAll(s)].map(e => e.getBoundingClientRect());"
        "document.title = [Math.max(...of('table').map(r => r.right)),"
        "  Math.min(...of('.onnxprof').map(r => r.height)), of('.onnxprof').length].join(' ');"
        "</script>",
        encoding="utf-8",
    )
    words = [chromium, "--headless", "--no-sandbox", "--disable-gpu", f"--window-size={WIDTH},900"]
    picture = os.environ.get("ONNXPROF_CARD_PICTURE")
    if picture:
        subprocess.run([*words, f"--screenshot={picture}", page.as_uri()], check=True)
    drawn = subprocess.run(
        [*words, "--dump-dom", page.as_uri()], capture_output=True, text=True, check=True
    )
    title = re.search(r"<title>(.*?)</title>", drawn.stdout)
    assert title is not None
    right, height, count = map(float, title[1].split())
    assert right <= WIDTH and height > 80 and count == 2
