"""How bytes become the input of an ONNX model: order of the axes, type, scale and size of a batch."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from copycost._types import AnyArray, ByteArray
from copycost.errors import InvalidInput, TargetError
from copycost.oracle.targets._settings import FileSettings

__all__ = ["InputForm", "input_form"]

_TYPES = {
    "tensor(float)": np.float32,
    "tensor(double)": np.float64,
    "tensor(float16)": np.float16,
    "tensor(uint8)": np.uint8,
}


@dataclass(frozen=True)
class InputForm:
    """How a model takes images.

    Attributes
    ----------
    name : str
        Of its input.
    dtype : type
    order : str
        "nchw", "nhwc", "nhw" (grey without an axis of channels) or "flat" (height, width, channels in one row).
    batch : int or None
        How many images it takes at once; None for any number.
    """

    name: str
    dtype: type
    order: str
    batch: int | None

    def array(self, images: ByteArray, settings: FileSettings) -> AnyArray:
        """Return what the model takes of uint8 images (n, height, width, channels)."""
        values: AnyArray = images.astype(self.dtype)
        if self.dtype is not np.uint8:
            wide = values.astype(np.float32) if self.dtype is np.float16 else values
            if settings.scale == "unit":
                wide = wide / wide.dtype.type(255)
            if settings.normalises:
                wide = (wide - np.asarray(settings.mean, wide.dtype)) / np.asarray(settings.deviation, wide.dtype)
            values = wide.astype(self.dtype)
        if self.order == "nchw":
            values = values.transpose(0, 3, 1, 2)
        elif self.order == "nhw":
            values = values[..., 0]
        elif self.order == "flat":
            values = values.reshape(len(values), -1)
        return np.ascontiguousarray(values)


def input_form(session: Any, settings: FileSettings, name: str) -> InputForm:
    """Find out how a model takes images of the shape that will be asked.

    Raises
    ------
    TargetError
        If it does not take images: several inputs, another type, or too few or many axes.
    InvalidInput
        If it takes images of another shape, the order of its axes cannot be told, or mean, deviation or scale do not
        go with its type.
    """
    inputs = session.get_inputs()
    if len(inputs) != 1:
        names = ", ".join(part.name for part in inputs) or "none"
        raise TargetError(f"the target {name} has {len(inputs)} inputs ({names}); one, for images, is needed.")
    dtype = _TYPES.get(inputs[0].type)
    if dtype is None:
        raise TargetError(
            f"the target {name} takes {inputs[0].type}; {', '.join(_TYPES)} are supported. Put a Cast in front of it."
        )
    if dtype is np.uint8 and settings.normalises:
        raise InvalidInput(
            f"the target {name} takes uint8 pixels as they are; leave target_mean and target_deviation out."
        )
    if settings.normalises and settings.scale == "bytes":
        raise InvalidInput(
            "target_scale is bytes, and target_mean and target_deviation are in units of [0, 1]; leave one of the two "
            "out. A model that subtracts m from 0 to 255 has mean m/255 and deviation 1/255."
        )
    dims = list(inputs[0].shape)
    order = _order(dims, settings.image_shape(name), name, session.get_modelmeta().producer_name)
    batch = dims[0] if isinstance(dims[0], int) and dims[0] > 0 else None
    return InputForm(inputs[0].name, dtype, order, batch)


def _order(dims: list[Any], shape: tuple[int, int, int], name: str, producer: str) -> str:
    height, width, channels = shape
    orders: dict[str, tuple[int, ...]] = {"nchw": (channels, height, width), "nhwc": shape}
    if channels == 1:
        orders["nhw"] = (height, width)
    orders["flat"] = (height * width * channels,)
    found = [order for order, wanted in orders.items() if _fits(dims[1:], wanted)]
    if len(dims) < 2 or len(dims) > 4:
        raise TargetError(
            f"the target {name} takes {_text(dims)}; [batch, channels, height, width], [batch, height, width, "
            "channels] or [batch, pixels] is needed."
        )
    if not found:
        raise InvalidInput(_mismatch(dims, shape, name))
    if len(found) > 1:
        raise InvalidInput(
            f"the target {name} takes {_text(dims)}, which fits images of shape {shape} both with channels first and "
            "with channels last; export it with the sizes of its input fixed, all but the batch."
        )
    if found == ["flat"] and channels > 1 and producer != "skl2onnx":
        raise InvalidInput(
            f"the target {name} takes {_text(dims)}, which does not say how {channels} channels lie in a row; export "
            "it with an input of four axes, that is with the flattening inside the model."
        )
    return found[0]


def _fits(dims: list[Any], wanted: tuple[int, ...]) -> bool:
    if len(dims) != len(wanted):
        return False
    return all(not isinstance(dim, int) or dim in (size, 0, -1) for dim, size in zip(dims, wanted, strict=True))


def _mismatch(dims: list[Any], shape: tuple[int, int, int], name: str) -> str:
    text = (
        f"the images have shape {shape} (height, width, channels); the target {name} takes {_text(dims)}"
        f"{' with channels ' + place if (place := _place(dims)) else ''}. "
    )
    wanted = {"first": dims[1], "last": dims[-1]}.get(place) if place else None
    if wanted is not None and wanted != shape[2]:
        kinds = {1: "grey", 3: "colour"}
        return text + (
            f"It wants {wanted} channels ({kinds.get(wanted, 'a kind of its own')}), the images have {shape[2]} "
            f"({kinds.get(shape[2], 'a kind of their own')}); convert them."
        )
    return text + "Resize the images, so that the shapes agree."


def _place(dims: list[Any]) -> str:
    """Return where a model of four axes has its channels, as far as their number tells; else nothing."""
    if len(dims) != 4:
        return ""
    first, last = dims[1] in (1, 3, 4), dims[-1] in (1, 3, 4)
    return "" if first == last else "first" if first else "last"


def _text(dims: list[Any]) -> str:
    return "[" + ", ".join(str(dim) if isinstance(dim, int) else "any" for dim in dims) + "]"
