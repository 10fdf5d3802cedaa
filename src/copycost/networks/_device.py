"""Where networks live in this process: on the processor, unless it was told of an accelerator."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterator

import torch
from torch import nn

from copycost.errors import InvalidInput

__all__ = ["check_device", "current_device", "device_name", "device_of", "free_memory", "on_device", "use_device"]

_CUDA = re.compile(r"cuda(:(?P<number>\d{1,3}))?")
_current = torch.device("cpu")


def check_device(text: str) -> str:
    """Return ``cpu`` or ``cuda:N`` for the text of a device: these, ``cuda`` (the first) or ``auto`` (CUDA if any).

    Raises
    ------
    InvalidInput
        For another text, or a device that torch does not find.

    Examples
    --------
    >>> check_device("cpu")
    'cpu'
    """
    if text == "cpu":
        return text
    found = torch.cuda.device_count() if torch.cuda.is_available() else 0
    if text == "auto":
        return "cuda:0" if found else "cpu"
    named = _CUDA.fullmatch(text)
    if named is None:
        raise InvalidInput(f"the device is {text!r}; cpu, cuda, cuda:N or auto is allowed.")
    number = int(named["number"] or 0)
    if number >= found:
        have = f"it finds {found}, numbered from 0" if found else "it finds none"
        raise InvalidInput(
            f"the device is {text!r}, and torch {torch.__version__} does not find that CUDA device ({have}); choose "
            "cpu, or install a build of torch that fits the driver."
        )
    return f"cuda:{number}"


def use_device(text: str) -> None:
    """Let networks that this process makes or loads from now on live on a device; initial weights are the same on all.

    On CUDA, float32 is computed as such (no TF32), and operations are those that give the same result twice where there
    are any; results still differ from the processor's in the last digits.

    Raises
    ------
    InvalidInput
        As of `check_device`.
    """
    global _current
    _current = torch.device(check_device(text))
    if _current.type == "cuda":
        torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = False
        torch.backends.cudnn.deterministic, torch.backends.cudnn.benchmark = True, False


@contextlib.contextmanager
def on_device(text: str) -> Iterator[None]:
    """Run a block with `use_device`, and go back to the device before."""
    global _current
    cuda, cudnn = torch.backends.cuda.matmul, torch.backends.cudnn
    before = _current, cuda.allow_tf32, cudnn.allow_tf32, cudnn.deterministic, cudnn.benchmark
    use_device(text)
    try:
        yield
    finally:
        _current, cuda.allow_tf32, cudnn.allow_tf32, cudnn.deterministic, cudnn.benchmark = before


def free_memory() -> None:
    """Give back to the current device what torch keeps for later, so that other processes can have it."""
    if _current.type == "cuda":
        torch.cuda.empty_cache()


def current_device() -> torch.device:
    """Return where networks are made now."""
    return _current


def device_of(network: nn.Module) -> torch.device:
    """Return where a network's parameters lie; the processor for one that has none."""
    first = next(network.parameters(), None)
    return torch.device("cpu") if first is None else first.device


def device_name() -> str:
    """Return what the current device is called, such as ``NVIDIA H200``; ``cpu`` for the processor."""
    return "cpu" if _current.type == "cpu" else torch.cuda.get_device_name(_current)
