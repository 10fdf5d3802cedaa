"""The notebook runs from top to bottom."""

import asyncio
import warnings
from pathlib import Path

import pytest

NOTEBOOK = Path(__file__).parents[1] / "docs" / "notebooks" / "audit.ipynb"


def test_the_notebook_runs_and_prints_what_it_promises(tmp_path: Path) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the notebook libraries warn about themselves
        nbformat = pytest.importorskip("nbformat")
        nbclient = pytest.importorskip("nbclient")
        asyncio.set_event_loop(loop := asyncio.new_event_loop())
        notebook = nbformat.read(NOTEBOOK, as_version=4)
        assert not any(cell.get("outputs") for cell in notebook.cells), "commit the notebook without its outputs"
        nbclient.NotebookClient(notebook, timeout=300, resources={"metadata": {"path": str(tmp_path)}}).execute()
        loop.close()
    printed = "".join(
        output.get("text", "") for cell in notebook.cells if cell.cell_type == "code" for output in cell.outputs
    )
    assert "80% agreement, random:" in printed
    assert "ceiling:" in printed
    assert "mean MI^2 over pairs" in printed
