"""What a cell keeps between rounds, so that one that was interrupted goes on inside the round it was in."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from copycost._whole import written_whole
from copycost.errors import InvalidInput
from copycost.networks import AnyClassifier, load_weights, save_weights

__all__ = ["Checkpoints"]


class Checkpoints:
    """Choices and trained copies of the rounds of one cell, each written whole or not at all.

    A choice costs attacks over a whole pool and a training costs minutes, so both are kept as soon as they are made.
    Only the copy of the last round is kept, as nothing looks at an earlier one.

    Parameters
    ----------
    folder : where they lie, or None to keep nothing
    """

    def __init__(self, folder: Path | None) -> None:
        self._folder = folder

    def read(self, what: str, number: int) -> dict[str, Any] | None:
        """Return a document of a round, or None if it is not there or damaged; then it is made again."""
        if self._folder is None:
            return None
        try:
            document = json.loads(self._file(what, number).read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return None
        return document if isinstance(document, dict) else None

    def write(self, what: str, number: int, document: dict[str, Any]) -> None:
        """Keep a document of a round."""
        if self._folder is None:
            return
        path = self._file(what, number)
        with written_whole(path) as part:
            self._folder.mkdir(parents=True, exist_ok=True)
            part.write_text(json.dumps(document, allow_nan=False), encoding="utf-8")

    def load_copy(self, classifier: AnyClassifier, number: int) -> bool:
        """Fill a classifier with the weights that a round left, and tell whether they were there."""
        path = self._weights(number)
        if path is None or not path.exists():
            return False
        try:
            load_weights(classifier.network, path)
        except InvalidInput:
            return False
        classifier.network.eval()
        return True

    def save_copy(self, classifier: AnyClassifier, number: int) -> None:
        """Keep the weights that a round left, and no earlier ones."""
        path = self._weights(number)
        if path is None:
            return
        path.parent.mkdir(parents=True, exist_ok=True)
        save_weights(classifier.network, path)
        before = self._weights(number - 1)
        if before is not None:
            before.unlink(missing_ok=True)

    def _weights(self, number: int) -> Path | None:
        return None if self._folder is None else self._folder / f"copy-{number:03}.safetensors"

    def _file(self, what: str, number: int) -> Path:
        assert self._folder is not None
        return self._folder / f"{what}-{number:03}.json"
