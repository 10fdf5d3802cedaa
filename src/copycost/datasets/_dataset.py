"""What every loader returns."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from types import MappingProxyType

import numpy as np

from copycost._types import IntArray
from copycost.errors import InvalidInput
from copycost.inputs import Images, Texts


@dataclass(frozen=True, eq=False)
class Dataset:
    """Images or texts with their labels, where these are known.

    Attributes
    ----------
    name : str
        The text it was loaded by.
    inputs : Images or Texts
        The n inputs; `images_of` and `texts_of` hand them on as one of the two, or refuse.
    labels : int64 array (n,) or None
        True labels from 0 to len(classes) - 1; read-only.
    classes : tuple of str
        Names of the classes in the order of their labels; empty without labels.
    files : tuple of str
        For a folder of images the path of each below it; else empty.
    skipped : tuple of str
        Files of the folder that were left out because they are bad, as text that can be shown.
    notes : mapping of str to int
        What was done to files of the folder or lines of the file, and to how many.
    named : bool
        Whether the classes have names of their own; False where a file of the user's only numbers them.
    tracks : int64 array (n,) or None
        The video track of each, numbered anew in each class or not; None where that was not told. Read-only.

    Raises
    ------
    InvalidInput
        If there is no input, or the labels, the files or the tracks do not match the inputs or the classes.
    """

    name: str
    inputs: Images | Texts
    labels: IntArray | None
    classes: tuple[str, ...]
    files: tuple[str, ...] = ()
    skipped: tuple[str, ...] = ()
    notes: Mapping[str, int] = field(default_factory=lambda: MappingProxyType({}))
    named: bool = True
    tracks: IntArray | None = None

    def __post_init__(self) -> None:
        medium = self.inputs.medium
        if len(self.inputs) == 0:
            raise InvalidInput(f"{self.name} holds no {medium}; at least one is needed.")
        if self.files and len(self.files) != len(self.inputs):
            raise InvalidInput(
                f"{self.name} names {len(self.files)} files for {len(self.inputs)} {medium}s; one for each is needed."
            )
        if self.tracks is not None:
            object.__setattr__(self, "tracks", self._checked_tracks(np.array(self.tracks, dtype=np.int64)))
        if self.labels is None:
            return
        labels = np.array(self.labels, dtype=np.int64)
        if labels.shape != (len(self.inputs),):
            raise InvalidInput(
                f"{self.name} has labels of shape {labels.shape} for {len(self.inputs)} {medium}s; one label "
                f"for each {medium} is needed."
            )
        if labels.min() < 0 or labels.max() >= len(self.classes):
            raise InvalidInput(
                f"{self.name} has labels from {labels.min()} to {labels.max()}; with {len(self.classes)} "
                f"classes they must lie between 0 and {len(self.classes) - 1}."
            )
        labels.flags.writeable = False
        object.__setattr__(self, "labels", labels)

    def _checked_tracks(self, tracks: IntArray) -> IntArray:
        if tracks.shape != (len(self.inputs),):
            raise InvalidInput(
                f"{self.name} has tracks of shape {tracks.shape} for {len(self.inputs)} {self.inputs.medium}s; the "
                "number of one track for each is needed."
            )
        tracks.flags.writeable = False
        return tracks

    def __len__(self) -> int:
        """Return the number of inputs."""
        return len(self.inputs)

    @property
    def medium(self) -> str:
        """Either ``image`` or ``text``."""
        return self.inputs.medium

    def take(self, indices: IntArray | Sequence[int], name: str | None = None) -> Dataset:
        """Return the inputs at ``indices`` with what is known of each, in that order, under another name if given."""
        rows = np.asarray(indices, dtype=np.int64)
        return replace(
            self,
            name=name or self.name,
            inputs=self.inputs.take(indices),
            labels=None if self.labels is None else self.labels[rows],
            files=tuple(self.files[row] for row in rows.tolist()) if self.files else (),
            tracks=None if self.tracks is None else self.tracks[rows],
        )

    def unlabelled(self, name: str | None = None) -> Dataset:
        """Return the same inputs without their labels, under another name if given."""
        return replace(self, name=name or self.name, labels=None, classes=(), named=True)


def images_of(dataset: Dataset) -> Images:
    """Return the images of a data set.

    Raises
    ------
    InvalidInput
        If it holds texts.
    """
    if not isinstance(dataset.inputs, Images):
        raise InvalidInput(f"{dataset.name} holds {dataset.medium}s; images are needed here: name a set of images.")
    return dataset.inputs


def texts_of(dataset: Dataset) -> Texts:
    """Return the texts of a data set.

    Raises
    ------
    InvalidInput
        If it holds images.
    """
    if not isinstance(dataset.inputs, Texts):
        raise InvalidInput(f"{dataset.name} holds {dataset.medium}s; texts are needed here: name a set of texts.")
    return dataset.inputs
