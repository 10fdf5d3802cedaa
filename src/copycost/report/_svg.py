"""Elements of SVG, escaped where they are made."""

from __future__ import annotations

from markupsafe import Markup, escape

__all__ = ["element", "number"]


def element(name: str, *children: str, **attributes: str | float) -> Markup:
    """Return an element; children that are not `Markup` and all attribute values are escaped.

    A trailing underscore of an attribute name is dropped, other underscores become hyphens.

    Examples
    --------
    >>> str(element("text", "a < b", x=1.0, class_="tick"))
    '<text x="1" class="tick">a &lt; b</text>'
    """
    written = "".join(f' {key.rstrip("_").replace("_", "-")}="{_value(value)}"' for key, value in attributes.items())
    inside = "".join(escape(child) for child in children)
    return Markup(f"<{name}{written}>{inside}</{name}>")


def number(value: float) -> str:
    """Return a coordinate with two decimals at most."""
    return f"{value:.2f}".rstrip("0").rstrip(".")


def _value(value: str | float) -> str:
    return escape(value) if isinstance(value, str) else number(value)
