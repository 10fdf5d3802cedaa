"""What every loader returns."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from types import MappingProxyType

import numpy as np

from copycost._types import IntArray
from copycost.errors import InvalidInput
from copycost.inputs import Images


@dataclass(frozen=True, eq=False)
class Dataset:
    """Images with their labels, where these are known.

    Attributes
    ----------
    name : str
        The text it was loaded by.
    inputs : Images
        The n images.
    labels : int64 array (n,) or None
        True labels from 0 to len(classes) - 1; read-only.
    classes : tuple of str
        Names of the classes in the order of their labels; empty without labels.
    files : tuple of str
        For a folder of images the path of each below it; else empty.
    skipped : tuple of str
        Files of the folder that were left out because they are bad, as text that can be shown.
    notes : mapping of str to int
        What was done to files of the folder to get pixels, and to how many.

    Raises
    ------
    InvalidInput
        If there is no image, or the labels or the files do not match the images or the classes.
    """

    name: str
    inputs: Images
    labels: IntArray | None
    classes: tuple[str, ...]
    files: tuple[str, ...] = ()
    skipped: tuple[str, ...] = ()
    notes: Mapping[str, int] = field(default_factory=lambda: MappingProxyType({}))

    def __post_init__(self) -> None:
        if len(self.inputs) == 0:
            raise InvalidInput(f"{self.name} holds no image; at least one is needed.")
        if self.files and len(self.files) != len(self.inputs):
            raise InvalidInput(
                f"{self.name} names {len(self.files)} files for {len(self.inputs)} images; one for each is needed."
            )
        if self.labels is None:
            return
        labels = np.array(self.labels, dtype=np.int64)
        if labels.shape != (len(self.inputs),):
            raise InvalidInput(
                f"{self.name} has labels of shape {labels.shape} for {len(self.inputs)} images; one label "
                "for each image is needed."
            )
        if labels.min() < 0 or labels.max() >= len(self.classes):
            raise InvalidInput(
                f"{self.name} has labels from {labels.min()} to {labels.max()}; with {len(self.classes)} "
                f"classes they must lie between 0 and {len(self.classes) - 1}."
            )
        labels.flags.writeable = False
        object.__setattr__(self, "labels", labels)

    def __len__(self) -> int:
        """Return the number of images."""
        return len(self.inputs)

    def take(self, indices: IntArray | Sequence[int], name: str | None = None) -> Dataset:
        """Return the images at ``indices`` with their labels and files, in that order, under another name if given."""
        rows = np.asarray(indices, dtype=np.int64)
        return replace(
            self,
            name=name or self.name,
            inputs=self.inputs.take(indices),
            labels=None if self.labels is None else self.labels[rows],
            files=tuple(self.files[row] for row in rows.tolist()) if self.files else (),
        )
