"""One self-contained HTML page from the records of an audit."""

from copycost.report._page import render
from copycost.report._pictures import chosen_images

__all__ = ["chosen_images", "render"]
