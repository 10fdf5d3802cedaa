"""What a cell keeps between rounds, so that one that was interrupted goes on inside the round it was in."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import Any

import numpy as np

from copycost._whole import written_whole
from copycost.errors import InvalidInput
from copycost.inputs import Images, Inputs, Texts
from copycost.networks import AnyClassifier, load_weights, save_weights
from copycost.strategies import Queries

__all__ = ["Checkpoints"]


class Checkpoints:
    """Choices and trained copies of the rounds of one cell, each written whole or not at all.

    A choice costs attacks over a whole pool and a training costs minutes, so both are kept as soon as they are made.
    Only the copy of the last round is kept, as nothing looks at an earlier one. So inputs that a strategy has made of
    a copy are kept as well: they could not be made again, and some of them are paid for.

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
            document = json.loads(self._file(what, number, "json").read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return None
        return document if isinstance(document, dict) else None

    def write(self, what: str, number: int, document: dict[str, Any]) -> None:
        """Keep a document of a round."""
        if self._folder is None:
            return
        with written_whole(self._file(what, number, "json")) as part:
            self._folder.mkdir(parents=True, exist_ok=True)
            part.write_text(json.dumps(document, allow_nan=False), encoding="utf-8")

    def read_choice(self, number: int, pool: Inputs) -> Queries | None:
        """Return the choice of a round from a pool, or None if it is not there or damaged; then it is made again."""
        kept = self.read("choice", number)
        if kept is not None:
            queries = Queries.members(pool, np.array(kept["pool_index"], dtype=np.int64))
            return dataclasses.replace(queries, dropped=kept["dropped"], facts=kept["facts"])
        return None if self._folder is None else _read_made(self._file("choice", number, "npz"), pool)

    def write_choice(self, number: int, queries: Queries) -> None:
        """Keep the choice of a round: by pool index alone where it is of members, else with the inputs themselves."""
        if self._folder is None:
            return
        document = {
            "pool_index": queries.pool_index.tolist(),
            "dropped": queries.dropped,
            "facts": dict(queries.facts),
        }
        if (queries.pool_index >= 0).all():
            self.write("choice", number, document)
            return
        with written_whole(self._file("choice", number, "npz")) as part:
            self._folder.mkdir(parents=True, exist_ok=True)
            _write_made(part, document, queries)

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

    def _file(self, what: str, number: int, ending: str) -> Path:
        assert self._folder is not None
        return self._folder / f"{what}-{number:03}.{ending}"


def _write_made(path: Path, document: dict[str, Any], queries: Queries) -> None:
    """Write a choice that holds made inputs: images as bytes, all else as JSON in bytes."""
    inputs = queries.inputs
    texts = list(inputs.texts) if isinstance(inputs, Texts) else None
    document |= {"parent": queries.parent.tolist(), "texts": texts}
    arrays = {"document": np.frombuffer(json.dumps(document, allow_nan=False).encode(), np.uint8)}
    if isinstance(inputs, Images):
        arrays["images"] = inputs.array
    with open(path, "wb") as file:  # a name would be given another ending
        np.savez(file, allow_pickle=False, **arrays)


def _read_made(path: Path, pool: Inputs) -> Queries | None:
    """Return a choice that `_write_made` wrote, or None if it is not there, damaged, or not of this pool's form."""
    try:
        with open(path, "rb") as file, np.load(file, allow_pickle=False) as kept:
            document = json.loads(kept["document"].tobytes())
            images = kept["images"] if document["texts"] is None else None
        inputs: Inputs = Texts(document["texts"]) if images is None else Images(images)
        queries = Queries(
            inputs,
            np.array(document["pool_index"], dtype=np.int64),
            np.array(document["parent"], dtype=np.int64),
            document["dropped"],
            document["facts"],
        )
        pool.take([]).concat(inputs)  # which refuses another form
    except Exception:  # whatever is wrong with it, the choice is made again
        return None
    return queries if len(inputs) == len(queries) == len(queries.parent) else None
