"""Weights on disk as safetensors, which hold numbers and no code."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path

from safetensors import SafetensorError, safe_open
from safetensors.torch import load_file, save_file
from torch import nn

from copycost._whole import written_whole
from copycost.errors import InvalidInput

__all__ = ["load_weights", "read_head", "save_weights"]


def save_weights(network: nn.Module, path: Path, metadata: dict[str, str] | None = None) -> None:
    """Write a network's state to ``path``, perhaps with texts beside it, whole or not at all, and make it durable."""
    with written_whole(path, SafetensorError) as part:
        save_file({name: value.contiguous() for name, value in network.state_dict().items()}, part, metadata)


def load_weights(network: nn.Module, path: Path) -> None:
    """Fill a network with the state in ``path``.

    Raises
    ------
    InvalidInput
        If the file is not safetensors (pickles are refused: they can carry code) or does not fit the network.
    """
    with _reading(path):
        state = load_file(path)
    try:
        network.load_state_dict(state)
    except RuntimeError as error:
        reason = " ".join(str(error).split("\n", 1)[-1].split())[:300]
        raise InvalidInput(f"the weights in {path} do not fit the architecture: {reason}") from None


def read_head(path: Path) -> tuple[dict[str, str], dict[str, tuple[int, ...]]]:
    """Return the metadata of a safetensors file and the shape of each of its arrays.

    Raises
    ------
    InvalidInput
        If the file is not safetensors.
    """
    with _reading(path), safe_open(path, framework="pt") as file:
        shapes = {name: tuple(file.get_slice(name).get_shape()) for name in file.keys()}  # noqa: SIM118
        return file.metadata() or {}, shapes


@contextlib.contextmanager
def _reading(path: Path) -> Iterator[None]:
    try:
        yield
    except FileNotFoundError:
        raise InvalidInput(f"there is no file {path}.") from None
    except (SafetensorError, OSError) as error:
        raise InvalidInput(
            f"{path} is not a safetensors file ({error}). Pickled weights (.pt, .pth) are not read, as they can "
            f"carry code; "
            "convert them with safetensors.torch.save_file(model.state_dict(), 'model.safetensors')."
        ) from None
