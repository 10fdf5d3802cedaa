"""What the benchmark measures of targeted attacks and of activation traces."""

from __future__ import annotations

import os
import warnings
from pathlib import Path
from typing import Any

import numpy as np
from bench_measures import Array, Measure, Result, network, read, timed

AIMED, AIMED_WHOLE = 100, 5000  # digits, each aimed at the nine other classes
TRACES, NEURONS = 6000, 6508  # those of LeNet-5
_EPSILON, _STEPS = 128 / 255, 40


def aimed(scratch: Path, count: int) -> tuple[Any, Any, Any]:
    """Return a network, ``count`` digits nine times, and the nine other classes of each."""
    import torch

    model = network("lenet5")
    digits = np.resize(read(scratch, "digits"), (count, 28, 28))
    images = torch.from_numpy(digits[:, np.newaxis] / np.float32(255))
    given = torch.cat([classes(model, images[begin : begin + 512]) for begin in range(0, count, 512)])
    wanted = (given[:, None] + torch.arange(1, 10)) % 10
    return model, images.repeat_interleave(9, dim=0), wanted.flatten()


def classes(model: Any, images: Any) -> Any:
    """Return what a network takes images for."""
    import torch

    with torch.no_grad():
        return model(images).argmax(1)


def reached(model: Any, images: Any, wanted: Any) -> float:
    """Return the share of examples that the network takes for the class wanted."""
    parts = range(0, len(images), 512)
    return sum(int((classes(model, images[at : at + 512]) == wanted[at : at + 512]).sum()) for at in parts) / len(
        images
    )


def our_pgd(count: int, unit: int) -> Measure:
    """Measure our PGD on digits, ``unit`` of the examples that are made being one unit of work."""

    def measure(scratch: Path) -> Result:
        import torch

        from copycost.adversarial import pgd

        torch.set_num_threads(int(os.environ["OMP_NUM_THREADS"]))
        model, images, wanted = aimed(scratch, count)
        chance = torch.Generator().manual_seed(0)
        aim: dict[str, Any] = {"epsilon": _EPSILON, "steps": _STEPS, "targeted": True, "generator": chance}
        pgd(model, images[:64], wanted[:64], **aim)
        kept: list[Any] = []
        found = timed(len(images) / unit, lambda: kept.append(pgd(model, images, wanted, **aim)))
        return found | {"objective": reached(model, kept[0], wanted)}

    return measure


def foolbox_pgd(count: int) -> Measure:
    """Measure foolbox's PGD with the same settings."""

    def measure(scratch: Path) -> Result:
        import torch

        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            import foolbox
        torch.set_num_threads(1)
        torch.manual_seed(0)  # foolbox takes its starts from the global generator
        model, images, wanted = aimed(scratch, count)
        wrapped = foolbox.PyTorchModel(model, bounds=(0, 1), device="cpu")  # type: ignore[attr-defined]
        attack = foolbox.attacks.LinfPGD(rel_stepsize=0.01 / 0.3, steps=_STEPS)
        criterion = foolbox.criteria.TargetedMisclassification
        kept: list[Any] = []

        def run() -> None:
            parts = zip(images.split(64), wanted.split(64), strict=True)
            found = [attack(wrapped, part, criterion(labels), epsilons=_EPSILON)[1] for part, labels in parts]
            kept.append(torch.cat(found))

        attack(wrapped, images[:64], criterion(wanted[:64]), epsilons=_EPSILON)
        found = timed(len(images), run)
        return found | {"objective": reached(model, kept[0], wanted)}

    return measure


def traces() -> Array:
    """Return random traces, a bit a neuron, packed."""
    bits = np.random.default_rng(0).random((TRACES, NEURONS), np.float32) < 0.3
    return np.packbits(bits, axis=1)


def our_hamming(scratch: Path) -> Result:
    """Measure the distances of all pairs."""
    from copycost.similarity import Hamming

    packed, rows, kept = traces(), np.arange(TRACES), []
    Hamming(packed[:4]).block(rows[:4])
    found = timed(1, lambda: kept.append(Hamming(packed).block(rows)))
    return found | {"objective": float(kept[0].mean(dtype=np.float64))}


def product_hamming(scratch: Path) -> Result:
    """Measure the same by a product of matrices, as numbers in float32."""
    packed, kept = traces(), []

    def run() -> None:
        bits = np.unpackbits(packed, axis=1, count=NEURONS).astype(np.float32)
        active = bits.sum(axis=1)
        kept.append(active[:, None] + active[None, :] - 2 * (bits @ bits.T))

    found = timed(1, run)
    return found | {"objective": float(kept[0].mean(dtype=np.float64))}
