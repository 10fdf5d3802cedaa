"""Which kind of target a TARGET text names, and how each kind of file is opened."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from copycost.errors import InvalidInput
from copycost.oracle.targets._base import Target
from copycost.oracle.targets._network import NetworkTarget
from copycost.oracle.targets._onnx import OnnxTarget
from copycost.oracle.targets._settings import FileSettings
from copycost.oracle.targets._sklearn import SklearnTarget

__all__ = ["FILES", "FORMS", "FileKind", "file_kind", "form_of", "open_file"]


@dataclass(frozen=True)
class FileKind:
    """A kind of file that holds a model.

    Attributes
    ----------
    open : callable
        From path and settings to the target.
    takes : tuple of str
        The settings that go with it, by their names in an audit's spec.
    """

    open: Callable[[Path, FileSettings], Target]
    takes: tuple[str, ...] = ()


def _network(path: Path, settings: FileSettings) -> Target:
    classes = settings.classes or settings.named_classes
    if settings.architecture is None:
        raise InvalidInput(f"the target {path} holds weights alone; name its architecture with --target-arch.")
    if classes is None:
        raise InvalidInput("neither pool nor test names its classes; give their number with --classes.")
    mean, deviation = settings.mean, settings.deviation
    return NetworkTarget.load(path, settings.architecture, settings.shape, classes, mean=mean, deviation=deviation)


_NORMALISE = ("target_mean", "target_deviation")

FILES: dict[str, FileKind] = {
    ".safetensors": FileKind(_network, (*_NORMALISE, "target_arch")),
    ".onnx": FileKind(OnnxTarget, (*_NORMALISE, "target_output", "target_scale")),
    ".skops": FileKind(SklearnTarget, ("target_scale",)),
}

_TORCH = (
    "Export the model to ONNX: torch.onnx.export(model, (example,), 'model.onnx', external_data=False). For one of the "
    "known architectures, safetensors.torch.save_file(model.state_dict(), 'model.safetensors') does too."
)
_PICKLE = (
    "Export the model to ONNX; for a scikit-learn classifier, skops.io.dump(model, 'model.skops') does too, and for a "
    "known architecture, safetensors.torch.save_file(weights, 'model.safetensors')."
)
_KERAS = "Export the model to ONNX: model.export('model.onnx', format='onnx')."
_REFUSED = {
    **dict.fromkeys((".pt", ".pth", ".pt2", ".ckpt", ".bin"), _TORCH),
    **dict.fromkeys((".pkl", ".pickle", ".joblib"), _PICKLE),
    **dict.fromkeys((".h5", ".hdf5", ".keras"), _KERAS),
}

FORMS: dict[str, Callable[[str], bool]] = {
    "file": lambda text: _suffix(text) in FILES,
    "labels": lambda text: text == "labels",
    "trained": lambda text: "@" in text,
    "function": lambda text: ":" in text,
}


def form_of(text: str) -> str:
    """Return which form a TARGET text has: the first of `FORMS` that fits.

    Raises
    ------
    InvalidInput
        For a file of a kind that can carry code, which is not opened, and for a text of no form.

    Examples
    --------
    >>> [form_of(text) for text in ("model.onnx", "lenet5@mnist:train", "mine:classify")]
    ['file', 'trained', 'function']
    """
    if (way := _REFUSED.get(_suffix(text))) is not None:
        raise InvalidInput(
            f"the target is {text!r}; {_suffix(text)} files can carry code that runs when they are read, so they are "
            f"not opened. {way} See docs/guide/targets.md."
        )
    for form, fits in FORMS.items():
        if fits(text):
            return form
    raise InvalidInput(
        f"the target is {text!r}; write module:function, FILE.onnx, FILE.skops, FILE.safetensors with --target-arch, "
        "ARCH@DATA such as lenet5@mnist:train, or labels. A model of another kind is best exported to ONNX."
    )


def file_kind(text: str) -> FileKind:
    """Return the kind of file that a TARGET text of the form "file" names."""
    return FILES[_suffix(text)]


def open_file(text: str, settings: FileSettings) -> Target:
    """Open the model in a file."""
    return file_kind(text).open(Path(text), settings)


def _suffix(text: str) -> str:
    return Path(text).suffix.lower()
