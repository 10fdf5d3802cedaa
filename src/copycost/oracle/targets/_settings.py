"""What the file of a model does not say of itself."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from copycost.errors import InvalidInput
from copycost.inputs import Inputs

__all__ = ["OUTPUTS", "SCALES", "FileSettings", "check_channels"]

OUTPUTS = ("probabilities", "logits", "labels")
SCALES = ("unit", "bytes")


@dataclass(frozen=True)
class FileSettings:
    """How a model in a file is to be fed and read.

    Attributes
    ----------
    shape : tuple of int or None
        Height, width and channels of the images that will be asked; None where texts will be.
    classes : int or None
        Number of classes, where it was said; a model that answers in another number is refused.
    named_classes : int or None
        Number of classes that the data names, for models that do not tell.
    architecture : str or None
        Of a file that holds weights alone.
    mean, deviation : tuple of float
        One number a channel (or one for all), in units of [0, 1]: what the model's input is centred and divided by.
    output : str or None
        "probabilities", "logits" or "labels"; None where it is to be found out.
    scale : str
        "unit" where the model takes pixels from 0 to 1, "bytes" where it takes 0 to 255.
    probe : callable or None
        Charges a few inputs and returns them, for kinds that show their form only in their answers.
    known : tuple of bool and int, or None
        What a probe has shown before, so that nothing is sent: whether it gives probabilities, and its classes.

    Raises
    ------
    InvalidInput
        For an output or scale of another name, deviations that are not above 0, or settings of pixels where texts will
        be asked.
    """

    shape: tuple[int, int, int] | None
    classes: int | None = None
    named_classes: int | None = None
    architecture: str | None = None
    mean: tuple[float, ...] = (0.0,)
    deviation: tuple[float, ...] = (1.0,)
    output: str | None = None
    scale: str = "unit"
    probe: Callable[[], Inputs] | None = None
    known: tuple[bool, int] | None = None

    def __post_init__(self) -> None:
        if self.output is not None and self.output not in OUTPUTS:
            raise InvalidInput(f"target_output is {self.output!r}; {', '.join(OUTPUTS)} are known. Or leave it out.")
        if self.scale not in SCALES:
            raise InvalidInput(
                f"target_scale is {self.scale!r}; write unit for pixels from 0 to 1 or bytes for 0 to 255."
            )
        if self.shape is None:
            self._check_no_pixels()
            return
        check_channels(self.mean, self.deviation, self.shape[2])
        if not all(value > 0 for value in self.deviation):
            raise InvalidInput(f"target_deviation is {self.deviation}; every channel needs a number above 0.")

    def _check_no_pixels(self) -> None:
        if self.normalises or self.scale != "unit":
            raise InvalidInput(
                "target_mean, target_deviation and target_scale say what is done to pixels, and the pool and the test "
                "set hold texts; leave them out."
            )

    @property
    def medium(self) -> str:
        """Either ``image`` or ``text``: what will be asked."""
        return "text" if self.shape is None else "image"

    def image_shape(self, target: str) -> tuple[int, int, int]:
        """Return the shape of the images, for a target that takes nothing else.

        Raises
        ------
        InvalidInput
            If texts will be asked.
        """
        if self.shape is None:
            raise InvalidInput(
                f"the target {target} takes images, and the pool and the test set hold texts; name sets of images, or "
                "a target for texts (see docs/guide/targets.md)."
            )
        return self.shape

    @property
    def normalises(self) -> bool:
        """Whether a mean or deviation was given."""
        return (self.mean, self.deviation) != ((0.0,), (1.0,))

    def fingerprint(self, kind: str, content: bytes) -> str:
        """Return a name that changes with the bytes of the file and with how it is fed and read."""
        said = f"{list(self.mean)} {list(self.deviation)} {self.output} {self.scale} ".encode()
        return f"{kind}-{hashlib.sha256(said + content).hexdigest()}"


def check_channels(mean: Sequence[float], deviation: Sequence[float], channels: int) -> None:
    """Raise `InvalidInput` unless mean and deviation are one number, or one for each channel."""
    for name, values in (("mean", mean), ("deviation", deviation)):
        if len(values) not in (1, channels):
            raise InvalidInput(
                f"the target's {name} has {len(values)} numbers; one, or one for each of {channels} channels, is "
                "needed."
            )
