"""A scikit-learn classifier in a skops file."""

from __future__ import annotations

from pathlib import Path
from typing import Any, cast

import numpy as np

from copycost._types import AnyArray, FloatArray
from copycost.errors import CopycostError, InvalidInput, TargetError
from copycost.inputs import Images, Inputs, Texts
from copycost.oracle.targets._base import Target
from copycost.oracle.targets._settings import FileSettings
from copycost.oracle.targets._sklearn_checks import check_numbers
from copycost.oracle.targets._sklearn_file import read_estimator
from copycost.oracle.targets._sklearn_texts import takes_texts

__all__ = ["SklearnTarget"]


class SklearnTarget(Target):
    """A classifier or pipeline of scikit-learn, on one thread.

    One that begins with a vectoriser of texts takes texts, and is given a list of str. Any other takes images, and is
    given float64 (n, height * width * channels): each image in one row, pixel after pixel and its channels
    together, from 0 to 1, or from 0 to 255 where the scale is "bytes". It answers `predict_proba` where it has one,
    else `predict`. Class k is the k-th of its `classes_`.

    Parameters
    ----------
    path : the file
    settings : how it is to be fed

    Raises
    ------
    TargetError
        If the file is missing or holds a type that is not on the list, is no classifier, gives several labels an input,
        or counts its classes in another way than from 0.
    InvalidInput
        If it takes another medium than will be asked or another number of pixels, or has another number of classes than
        was said.
    MissingExtra
        If skops is not installed.
    """

    def __init__(self, path: Path, settings: FileSettings) -> None:
        self.name = path.name
        self._scale = settings.scale
        try:
            content = path.read_bytes()
        except OSError as error:
            raise TargetError(f"the target {path} cannot be read: {error.strerror}.") from None
        self._fingerprint = settings.fingerprint("sklearn", content)
        self._model = read_estimator(content, path)
        try:
            self._inspect(settings)
        except CopycostError:
            raise
        except Exception as error:  # a damaged file may lack any attribute, or hold one of any type
            raise TargetError(
                f"{path} holds a {type(self._model).__name__} that is not whole ({type(error).__name__}: {error}); "
                "write it again with skops.io.dump."
            ) from None

    def _inspect(self, settings: FileSettings) -> None:
        _check_classifier(self._model, self.name)
        if takes_texts(self._model):
            self._check_texts(settings)
        else:
            self.shape = settings.image_shape(self.name)
            self._check_width(self.shape)
        self._classes = _classes(self._model, self.name)
        check_numbers(self._model, self.name)
        self.classes = len(self._classes)
        if settings.classes not in (None, self.classes):
            raise InvalidInput(
                f"--classes is {settings.classes}, but the target {self.name} has {self.classes} classes; leave it out."
            )
        self.gives_probabilities = hasattr(self._model, "predict_proba")
        _use_one_thread(self._model)

    def _check_texts(self, settings: FileSettings) -> None:
        self.medium = "text"
        if settings.shape is not None:
            raise InvalidInput(
                f"the target {self.name} takes texts, and the pool and the test set hold images; name sets of texts."
            )

    def _check_width(self, shape: tuple[int, int, int]) -> None:
        width = int(np.prod(shape))
        taken = getattr(self._model, "n_features_in_", None)
        if taken != width:
            raise InvalidInput(
                f"the images have shape {shape} (height, width, channels), which is {width} numbers; the target "
                f"{self.name} takes {taken}. Resize them, or convert grey to colour, so that the shapes agree."
            )

    def fingerprint(self) -> str:
        """Return the hash of the file and of how it is fed."""
        return self._fingerprint

    def reply(self, inputs: Inputs) -> AnyArray:
        """Return probabilities (n, classes), or labels (n,) where the classifier has none."""
        if not len(inputs):
            return np.zeros((0, self.classes), np.float32) if self.gives_probabilities else np.zeros(0, np.int64)
        rows = list(inputs.texts) if isinstance(inputs, Texts) else self._rows(cast(Images, inputs))
        if self.gives_probabilities:
            return np.asarray(self._model.predict_proba(rows))
        labels = np.asarray(self._model.predict(rows))
        if labels.ndim != 1:
            raise TargetError(
                f"the target {self.name} answered an array of shape {labels.shape} to {len(inputs)} inputs; several "
                "labels an input (multi-label, multi-output) are not supported."
            )
        return np.searchsorted(self._classes, labels).astype(np.int64)

    def _rows(self, images: Images) -> FloatArray:
        rows = images.array.reshape(len(images), -1).astype(np.float64)
        return rows / 255 if self._scale == "unit" else rows


def _check_classifier(model: Any, name: str) -> None:
    from sklearn.base import BaseEstimator, is_classifier

    if not (isinstance(model, BaseEstimator) and is_classifier(model)):
        raise TargetError(
            f"the target {name} is a {type(model).__name__}, which is no classifier; regression, clustering and bare "
            "transformations are not supported."
        )


def _classes(model: Any, name: str) -> AnyArray:
    """Return the classes of a fitted classifier, sorted, one label an input."""
    last = model.steps[-1][1] if hasattr(model, "steps") else model
    classes = getattr(last, "classes_", None)
    kind = str(getattr(getattr(last, "_label_binarizer", None), "y_type_", "multiclass"))
    if isinstance(classes, list) or kind.startswith("multilabel") or getattr(last, "multilabel_", False):
        raise TargetError(
            f"the target {name} gives several labels an input (multi-label, multi-output); this is not supported. "
            "Audit one label at a time, as a classifier of its own."
        )
    if not isinstance(classes, np.ndarray) or classes.ndim != 1 or len(classes) < 2:
        raise TargetError(f"the target {name} has no two classes; fit it before it is written.")
    if classes.dtype.kind in "iufb" and not np.array_equal(classes, np.arange(len(classes))):
        raise TargetError(
            f"the target {name} counts its classes {classes[0]} to {classes[-1]}; 0 to {len(classes) - 1} without a "
            "gap is needed, as the data's labels are. Train it on labels counted so."
        )
    return classes


def _use_one_thread(model: Any) -> None:
    names = [name for name in model.get_params(deep=True) if name == "n_jobs" or name.endswith("__n_jobs")]
    model.set_params(**dict.fromkeys(names, 1))
