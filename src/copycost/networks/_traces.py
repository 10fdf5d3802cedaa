"""Activation traces: which neurons behind a ReLU an input activates, one bit each."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import numpy as np
import torch
from torch import nn
from torch.utils.hooks import RemovableHandle

from copycost._types import BoolArray, ByteArray
from copycost.errors import InvalidInput
from copycost.inputs import Inputs
from copycost.networks._classifier import AnyClassifier

__all__ = ["activation_traces", "check_room", "pass_sizes", "relu_layers", "relu_sizes"]

TRACES_LIMIT = 2 * 2**30  # bytes: above this no traces are made
_BATCH = 256  # inputs in one forward pass: small enough to stay in cache
_PACKED = 16  # inputs whose states are packed together, as they take a byte each until they are


def relu_layers(network: nn.Module) -> tuple[str, ...]:
    """Return the names of a network's ReLU layers, as PyTorch names modules, in the order of its definition.

    Only modules are seen. A ReLU that the network calls as a function (`torch.nn.functional.relu`) is passed over, also
    where it has modules besides.

    Examples
    --------
    >>> relu_layers(nn.Sequential(nn.Linear(2, 3), nn.ReLU(), nn.Linear(3, 2)))
    ('1',)
    """
    return tuple(name for name, module in network.named_modules() if isinstance(module, nn.ReLU))


def relu_sizes(classifier: AnyClassifier, inputs: Inputs, layers: Sequence[str] | None = None) -> dict[str, int]:
    """Return how many neurons each ReLU layer has for inputs of this form, in the order in which they are passed.

    A layer that is passed more than once counts all of its passes.

    Raises
    ------
    InvalidInput
        As `activation_traces`, and if there is no input.
    """
    sizes: dict[str, int] = {}
    for name, neurons in _passes(classifier, inputs, layers):
        sizes[name] = sizes.get(name, 0) + neurons
    return sizes


def pass_sizes(classifier: AnyClassifier, inputs: Inputs) -> tuple[int, ...]:
    """Return how many neurons each pass of a ReLU has for inputs of this form: the groups of `activation_traces`.

    Raises
    ------
    InvalidInput
        As `relu_sizes`.
    """
    return tuple(neurons for _, neurons in _passes(classifier, inputs, None))


def _passes(classifier: AnyClassifier, inputs: Inputs, layers: Sequence[str] | None) -> list[tuple[str, int]]:
    """Return the layer and the number of neurons of each pass, in the order in which an input takes them."""
    if not len(inputs):
        raise InvalidInput("inputs has length 0; one input is needed to see how large the layers are.")
    with _watched(classifier.network, _checked_layers(classifier.network, layers)) as seen, torch.inference_mode():
        classifier(classifier.tensor(classifier.encode(inputs.take([0]))))
        return [(name, states.shape[1]) for name, states in seen]


def activation_traces(classifier: AnyClassifier, inputs: Inputs, layers: Sequence[str] | None = None) -> ByteArray:
    """Return which neurons each input activates: those whose ReLU gives more than 0.

    Parameters
    ----------
    classifier : network and how inputs are encoded; it is run in evaluation mode and left as it was
    inputs : Inputs
        n of them.
    layers : names of ReLU layers, optional
        Those to be looked at, of `relu_layers`; all unless given.

    Returns
    -------
    uint8 array (n, bytes)
        Eight neurons to a byte, the first in the highest bit (`numpy.packbits`), layer after layer in the order in
        which an input passes them; the last byte is filled with zeros.

    Raises
    ------
    InvalidInput
        If the network has no ReLU layer, a layer is not one of them or is named twice, no input passes any, or the
        traces would take more than 2 GiB.

    Notes
    -----
    The memory is n times bytes, and a byte for each neuron and each of 256 inputs.

    References
    ----------
    DRMI (USENIX Security 2021), section 5.4.3.

    Examples
    --------
    >>> from copycost.inputs import Images
    >>> from copycost.networks import new_classifier
    >>> digits = Images(np.zeros((5, 28, 28), np.uint8))
    >>> activation_traces(new_classifier("lenet5", digits, 10, rng=np.random.default_rng(0)), digits).shape
    (5, 814)
    """
    names = _checked_layers(classifier.network, layers)
    if not len(inputs):
        return np.zeros((0, 0), np.uint8)
    rows = classifier.encode(inputs)
    traces, neurons = np.zeros((0, 0), np.uint8), 0
    with _watched(classifier.network, names) as seen, torch.inference_mode():
        for start in range(0, len(rows), _BATCH):
            seen.clear()
            classifier(classifier.tensor(rows[start : start + _BATCH]))
            states = [found for _, found in seen]
            if not states:
                raise InvalidInput(f"no input passes the layers {', '.join(names)}; name others, or none for all.")
            if not start:
                neurons = sum(found.shape[1] for found in states)
                check_room(len(rows), neurons)
                traces = np.empty((len(rows), -(-neurons // 8)), np.uint8)
            if sum(found.shape[1] for found in states) != neurons:
                raise InvalidInput(
                    f"the network {type(classifier.network).__name__} passes its ReLU layers another number of times "
                    "for some inputs than for others; traces need the same for all."
                )
            _pack(states, traces[start : start + _BATCH])
    return traces


def check_room(n: int, neurons: int, way: str = "Take a smaller pool, or name fewer layers.") -> None:
    """Refuse traces of so many neurons for ``n`` inputs that take too much; ``way`` says what else can be done.

    Raises
    ------
    InvalidInput
    """
    width = -(-neurons // 8)
    if n * width > TRACES_LIMIT:
        raise InvalidInput(
            f"traces of {neurons} neurons for {n} inputs take {n * width / 2**30:.1f} GiB; at most "
            f"{TRACES_LIMIT / 2**30:.1f} GiB are kept, those of {TRACES_LIMIT // width} inputs. {way}"
        )


def _pack(states: Sequence[BoolArray], traces: ByteArray) -> None:
    """Write the states of one batch, layer after layer, to its rows of ``traces``."""
    for start in range(0, len(traces), _PACKED):
        part = slice(start, start + _PACKED)
        traces[part] = np.packbits(np.concatenate([found[part] for found in states], axis=1), axis=1)


@contextmanager
def _watched(network: nn.Module, names: Sequence[str]) -> Iterator[list[tuple[str, BoolArray]]]:
    """Gather (layer, states (n, neurons)) at every pass of a layer, in evaluation mode; then put all back as it was."""
    seen: list[tuple[str, BoolArray]] = []
    modules = dict(network.named_modules())
    before = [(module, module.training) for module in modules.values()]

    def watch(name: str) -> RemovableHandle:
        def keep(module: nn.Module, arguments: object, output: torch.Tensor) -> None:
            # at once, as a layer after it may write into the same memory
            seen.append((name, (output > 0).reshape(len(output), math.prod(output.shape[1:])).cpu().numpy()))

        handle: RemovableHandle = modules[name].register_forward_hook(keep)
        return handle

    handles = [watch(name) for name in names]
    network.eval()
    try:
        yield seen
    finally:
        for handle in handles:
            handle.remove()
        for module, training in before:
            module.training = training


def _checked_layers(network: nn.Module, layers: Sequence[str] | None) -> tuple[str, ...]:
    known = relu_layers(network)
    if not known:
        raise InvalidInput(
            f"the network {type(network).__name__} has no ReLU layer (a torch.nn.ReLU), so that no neuron is activated "
            "or not; traces need one."
        )
    if layers is None:
        return known
    chosen = tuple(layers)
    unknown = [name for name in chosen if name not in known]
    if isinstance(layers, str) or not chosen or unknown or len(set(chosen)) < len(chosen):
        raise InvalidInput(
            f"layers is {layers!r}; different names out of {', '.join(known)} are needed, at least one, or None for "
            "all."
        )
    return chosen
