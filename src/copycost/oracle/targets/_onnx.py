"""A model in an ONNX file, run by onnxruntime."""

from __future__ import annotations

from pathlib import Path
from typing import Any, cast

import numpy as np

from copycost._types import AnyArray, ByteArray
from copycost.errors import TargetError
from copycost.inputs import Images, Inputs
from copycost.oracle._answers import checked_reply
from copycost.oracle.targets._base import Target
from copycost.oracle.targets._onnx_file import open_session, read_model
from copycost.oracle.targets._onnx_input import input_form
from copycost.oracle.targets._probe import at_once, probed_form
from copycost.oracle.targets._settings import FileSettings

__all__ = ["OnnxTarget"]


class OnnxTarget(Target):
    """A classifier in an ONNX file, on one thread of the processor.

    It takes float or uint8 images in one input of any batch size or a fixed one, channels first or last, and answers
    labels (n,), probabilities or logits (n, classes). Of the label and probabilities that scikit-learn's converter
    writes, the probabilities count.

    Parameters
    ----------
    path : the file
    settings : how it is to be fed and read

    Raises
    ------
    TargetError
        If the file is no ONNX model of one input for images, refers to other files, or does not answer as declared.
    InvalidInput
        If the settings do not go with the model, or texts will be asked.
    MissingExtra
        If onnxruntime or onnx is not installed.
    """

    def __init__(self, path: Path, settings: FileSettings) -> None:
        self.name = path.name
        self.shape = settings.image_shape(self.name)
        self._settings = settings
        content = read_model(path)
        self._fingerprint = settings.fingerprint("onnx", content)
        self._session = open_session(content, path)
        self._input = input_form(self._session, settings, self.name)
        self._output = self._choose_output()
        if settings.known is None:
            probe = None if settings.probe is None else settings.probe()
            self.probed, self.classes = probed_form(self, probe, settings.classes, settings.named_classes)
            self.gives_probabilities = self.probed.probabilities is not None
        else:
            self.gives_probabilities, self.classes = settings.known

    def fingerprint(self) -> str:
        """Return the hash of the file and of how it is fed and read."""
        return self._fingerprint

    def reply(self, inputs: Inputs) -> AnyArray:
        """Return labels (n,) or probabilities (n, classes)."""
        images = cast(Images, inputs).array
        size = self._input.batch or at_once(cast(Images, inputs).shape)
        parts = [images[start : start + size] for start in range(0, max(len(images), 1), size)]
        return self._read(np.concatenate([self._run(part) for part in parts]))

    def _run(self, images: ByteArray) -> AnyArray:
        """Return the raw output for one batch, padded with black images to the size that the model takes."""
        count = len(images)
        padding = (self._input.batch or max(count, 1)) - count
        batch = np.concatenate([images, np.zeros((padding, *images.shape[1:]), np.uint8)]) if padding else images
        feed = {self._input.name: self._input.array(batch, self._settings)}
        try:
            (raw,) = self._session.run([self._output], feed)
        except Exception as error:
            raise TargetError(
                f"the target {self.name} failed on a batch of {len(batch)} images: {str(error).strip()[:300]} Export "
                "it with a batch of any size, or with the size it takes fixed."
            ) from None
        rows = _table(raw, self.name)
        if rows.shape[:1] != (len(batch),):
            raise TargetError(
                f"the target {self.name} answered an array of shape {rows.shape} to a batch of {len(batch)} images; "
                "one row an image is needed."
            )
        return rows[:count]

    def _choose_output(self) -> str:
        outputs = self._session.get_outputs()
        if len(outputs) == 1:
            return str(outputs[0].name)
        if len(outputs) == 2 and outputs[0].type in ("tensor(int64)", "tensor(string)"):
            return str(outputs[0 if self._settings.output == "labels" else 1].name)
        names = ", ".join(f"{part.name} {part.type}" for part in outputs)
        raise TargetError(
            f"the target {self.name} has {len(outputs)} outputs ({names}); one (labels, probabilities or logits), or a "
            "label and its probabilities as scikit-learn's converter writes them, is needed. Export the one that "
            "counts."
        )

    def _read(self, rows: AnyArray) -> AnyArray:
        """Return labels or probabilities, by what the output was said or is found to be."""
        if rows.dtype.kind in "iu" and rows.ndim == 2 and rows.shape[1] == 1:
            rows = rows[:, 0]
        self._check_form(rows)
        if rows.ndim != 2:
            return rows
        if self._settings.output == "logits":
            return self._softmax(rows)
        if self._settings.output is None:
            self._check_sums(rows)
        return rows

    def _check_form(self, rows: AnyArray) -> None:
        declared = self._settings.output
        if rows.dtype.kind == "f" and rows.shape[1:] == (1,):
            raise TargetError(
                f"the target {self.name} answers one score an image; regression is not supported, and a binary "
                "classifier needs two columns: put Softmax over [0, z], or [1 - p, p], at its end."
            )
        if declared is not None and (declared == "labels") != (rows.ndim == 1):
            raise TargetError(
                f"target_output is {declared}, but the target {self.name} answers an array of shape {rows.shape}; "
                "labels are (n,), probabilities and logits (n, classes)."
            )

    def _softmax(self, rows: AnyArray) -> AnyArray:
        exact = rows.astype(np.float64)
        # one row of logits may sum to one by chance, several do not
        if len(exact) > 2 and exact.min() >= 0 and np.allclose(exact.sum(axis=1), 1, atol=1e-3):
            raise TargetError(
                f"target_output is logits, but what the target {self.name} answers sums to one already; these are "
                "probabilities, so leave target_output out."
            )
        powers = np.exp(exact - exact.max(axis=1, keepdims=True, initial=-np.inf))
        return np.asarray(powers / powers.sum(axis=1, keepdims=True), np.float32)

    def _check_sums(self, rows: AnyArray) -> None:
        try:
            checked_reply(rows, len(rows), None)
        except TargetError as error:
            raise TargetError(
                f"{error} Logits are said with target_output: logits; softmax is then applied here."
            ) from None


def _table(raw: Any, name: str) -> AnyArray:
    """Return an output as an array; scikit-learn's converter may write one mapping of class to probability an image."""
    if isinstance(raw, list) and raw and all(isinstance(row, dict) for row in raw):
        keys = sorted(raw[0])
        if any(sorted(row) != keys for row in raw):
            raise TargetError(f"the target {name} answered other classes for other images; export with zipmap=False.")
        if isinstance(keys[0], int) and keys != list(range(len(keys))):
            raise TargetError(
                f"the target {name} counts its classes {keys[0]} to {keys[-1]}; 0 to {len(keys) - 1} is needed. Train "
                "it on labels counted so."
            )
        return np.array([[row[key] for key in keys] for row in raw], np.float32)
    rows = np.asarray(raw)
    if rows.dtype.kind not in "iufb":
        raise TargetError(
            f"the target {name} answers text; class numbers, probabilities or logits are needed. Export the output "
            "that holds them."
        )
    return rows.astype(np.float32) if rows.dtype == np.float16 else rows
