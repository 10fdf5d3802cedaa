"""Explorations of the parts of an audit in one JSON file."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

from copycost._streams import stream
from copycost._whole import written_whole
from copycost.datasets import Dataset
from copycost.errors import InvalidInput
from copycost.exploration._explore import explore
from copycost.exploration._result import Exploration

__all__ = ["EXPLORATION_SCHEMA", "read_exploration", "write_exploration"]

EXPLORATION_SCHEMA = "copycost.exploration/1"


def write_exploration(parts: Mapping[str, Dataset], path: Path, seed: int) -> None:
    """Explore each part, such as ``training``, ``pool`` and ``test``, and write one file whole or not at all.

    Parameters
    ----------
    parts : data sets by their role
    path : file to write
    seed : fixes what is drawn, role by role

    Raises
    ------
    InvalidInput
        If the file cannot be written.
    MissingExtra
        If scikit-learn is not installed.
    """
    found = {
        role: explore(dataset, rng=stream(seed, "exploration", role)).as_document() for role, dataset in parts.items()
    }
    document = {"schema": EXPLORATION_SCHEMA, "seed": seed, "parts": found}
    with written_whole(path) as part:
        part.write_text(json.dumps(document, allow_nan=False) + "\n", encoding="utf-8")


def read_exploration(path: Path) -> dict[str, Exploration]:
    """Return the parts that `write_exploration` wrote, by role; none where there is no such file.

    Raises
    ------
    InvalidInput
        If the file is damaged or of another schema.
    """
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except (OSError, ValueError) as error:
        raise InvalidInput(f"{path} cannot be read ({error}); remove it and run the audit again.") from None
    if not isinstance(document, dict) or document.get("schema") != EXPLORATION_SCHEMA:
        raise InvalidInput(f"{path} is no exploration of schema {EXPLORATION_SCHEMA!r}; remove it and run again.")
    parts = document.get("parts")
    if not isinstance(parts, dict) or not all(isinstance(found, dict) for found in parts.values()):
        raise InvalidInput(f"{path} is damaged (it has no parts); remove it and run the audit again.")
    return {str(role): Exploration.from_document(found) for role, found in parts.items()}
