"""Opening the target that a spec names."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from copycost.audit._scenario import Data
from copycost.audit._spec import AuditSpec
from copycost.datasets import data_folder
from copycost.errors import InvalidInput, MissingData
from copycost.inputs import Images, Inputs
from copycost.oracle import Answers, Ledger
from copycost.oracle.targets import (
    FileSettings,
    FunctionTarget,
    LabelTarget,
    NetworkTarget,
    Target,
    form_of,
    open_file,
)

__all__ = ["load_target"]

_PROBE = 5


def load_target(
    spec: AuditSpec,
    data: Data,
    weights: Path,
    record: dict[str, Any] | None,
    ledger: Ledger | None,
    data_dir: Path | None = None,
) -> Target:
    """Return the target.

    Parameters
    ----------
    spec, data : what is audited
    weights : where a target trained here was saved
    record : the record of its preparation, once there is one
    ledger : of its preparation; needed without a record, as a function is asked a few inputs to see what it returns
    data_dir : the data folder, below which a file is looked for that is not where its relative path leads
    """
    return _OPENERS[form_of(spec.target)](_Request(spec, data, weights, record, ledger, data_dir))


@dataclass(frozen=True)
class _Request:
    """What `load_target` was given."""

    spec: AuditSpec
    data: Data
    weights: Path
    record: dict[str, Any] | None
    ledger: Ledger | None
    data_dir: Path | None

    @property
    def named_classes(self) -> int | None:
        """How many classes the data names."""
        return len(self.data.classes) or None

    def probe(self) -> Inputs:
        """Return a few held-out inputs, charged like any other query."""
        assert self.ledger is not None
        probe = self._few()
        self.ledger.charge("probe", list(dict.fromkeys(probe.digests())), {})
        return probe

    def keep(self, answers: Answers | None) -> None:
        """Keep what came back, if they were sent, in the ledger."""
        digests = self._few().digests()
        if answers is not None and self.ledger is not None and len(set(digests)) == len(digests):
            self.ledger.complete("probe", digests, answers)

    def _few(self) -> Inputs:
        return self.data.test.inputs.take(range(min(_PROBE, len(self.data.test.inputs))))


def _shape(data: Data) -> tuple[int, int, int] | None:
    """Return height, width and channels of the images, or None of texts."""
    inputs = data.pool.inputs
    return inputs.shape if isinstance(inputs, Images) else None


def _trained_target(request: _Request) -> Target:
    spec = request.spec
    architecture = spec.target.partition("@")[0]
    classes = spec.classes or request.named_classes or 2
    return NetworkTarget.load(request.weights, architecture, _shape(request.data), classes)


def _file_target(request: _Request) -> Target:
    spec, record = request.spec, request.record
    settings = FileSettings(
        shape=_shape(request.data),
        classes=spec.classes,
        named_classes=request.named_classes,
        architecture=spec.target_arch,
        mean=spec.target_mean,
        deviation=spec.target_deviation,
        output=spec.target_output,
        scale=spec.target_scale,
        probe=request.probe,
        known=None if record is None else (record["gives_probabilities"], len(record["classes"])),
    )
    target = open_file(_placed(spec.target, request.data_dir), settings)
    request.keep(target.probed)
    return target


def _placed(text: str, data_dir: Path | None) -> str:
    """Return where the file of a target lies: where its path leads, else below the data folder.

    Raises
    ------
    MissingData
        If it is in neither place.
    """
    folder = data_folder(data_dir)
    for path in (Path(text), folder / text):
        if os.path.exists(path):  # pathlib's own raises on names that no file can have
            return str(path)
    raise MissingData(
        f"there is no file {text}, neither from {Path.cwd()} nor below the data folder {folder}; give the path of the "
        "target's file, or name the data folder that has it with --data-dir or COPYCOST_DATA."
    )


def _function_target(request: _Request) -> Target:
    text, record = request.spec.target, request.record
    if record is not None:
        known, medium = record["gives_probabilities"], request.data.test.inputs.medium
        return FunctionTarget.load(text, None, classes=len(record["classes"]), gives_probabilities=known, medium=medium)
    classes = request.spec.classes
    target = FunctionTarget.load(text, request.probe(), classes=classes, fallback=request.named_classes)
    request.keep(target.probed)
    return target


def _label_target(request: _Request) -> Target:
    data = request.data
    if data.pool.labels is None or data.test.labels is None:
        raise InvalidInput(
            "the target is 'labels', which answers with known labels; pool and test must both carry them."
        )
    pool: Inputs = data.pool.inputs
    inputs = pool.concat(data.test.inputs)
    return LabelTarget(inputs, np.concatenate([data.pool.labels, data.test.labels]), len(data.classes))


_OPENERS: dict[str, Callable[[_Request], Target]] = {
    "labels": _label_target,
    "trained": _trained_target,
    "file": _file_target,
    "function": _function_target,
}
