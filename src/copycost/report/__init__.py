"""One self-contained HTML page from the records of an audit."""

from copycost.report._page import render
from copycost.report._sources import chosen_inputs, sample_inputs
from copycost.report._write import write_page

__all__ = ["chosen_inputs", "render", "sample_inputs", "write_page"]
