"""What records say about a published cell: a value a seed, an interval, and whether the printed number lies in it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from copycost.errors import InvalidInput
from copycost.measures import Interval, student_interval
from copycost.reproduce._library import Library
from copycost.reproduce._numbers import reading
from copycost.reproduce._records import Records
from copycost.reproduce._schema import Published, Scale
from copycost.reproduce._slots import Choice, Slot

__all__ = ["Measured", "at_path", "differs", "measure", "numbers_of", "result_of", "scaled"]


@dataclass(frozen=True)
class Measured:
    """What was measured of a slot, in the units of the records.

    Attributes
    ----------
    interval : Interval or None
        Over the seeds there are; None where there is none.
    figure : float or None
        The statistic asked for: the mean, or the highest value, or the deviation over seeds.
    seeds : tuple of int
        Those with a value, in order, as `interval.values`.
    expected : int
        How many seeds the audit has; 0 where the slot is not measured at this scale.
    choice : Choice or None
        Which cells these are; of several strategies, those of the highest mean.
    best_of : int
        From how many strategies the best was taken.
    undefined : int
        Seeds whose record is there and has no such value, as a share of no example has none.
    """

    interval: Interval | None
    figure: float | None
    seeds: tuple[int, ...]
    expected: int
    choice: Choice | None
    best_of: int = 1
    undefined: int = 0

    @property
    def missing(self) -> int:
        """Seeds that are not measured yet."""
        return self.expected - len(self.seeds) - self.undefined

    @property
    def by_seed(self) -> dict[int, float]:
        """The values by seed."""
        return {} if self.interval is None else dict(zip(self.seeds, self.interval.values, strict=True))


def measure(slot: Slot, scale: Scale, library: Library, records: Records) -> Measured:
    """Return what the records say about a slot."""
    if slot.builds:
        return _built(slot)
    found = []
    for choice in slot.choices:
        values = _by_seed(slot, choice, scale, library, records)
        found.append((choice, values))
    expected = len(slot.choices[0].cells) if slot.choices else 0
    whole = [pair for pair in found if pair[1]]
    if not whole:
        only = slot.choices[0] if len(slot.choices) == 1 else None
        nothing = 0 if only is None else _undefined(slot, only, {}, scale, library, records)
        return Measured(None, None, (), expected, only, undefined=nothing)
    choice, values = max(whole, key=lambda pair: (len(pair[1]), float(np.mean(list(pair[1].values())))))
    interval = student_interval(list(values.values()))
    return Measured(
        interval,
        _statistic(slot.statistic, interval),
        tuple(values),
        expected,
        choice,
        best_of=len(whole),
        undefined=_undefined(slot, choice, values, scale, library, records),
    )


def _undefined(
    slot: Slot, choice: Choice, values: dict[int, float], scale: Scale, library: Library, records: Records
) -> int:
    path, _ = reading(slot.measure)
    return sum(
        result_of(path, choice, cell.seed, scale, library, records) is not None
        for cell in choice.cells
        if cell.seed not in values
    )


def _statistic(name: str, interval: Interval) -> float | None:
    if name == "top":
        return max(interval.values)
    if name == "deviation":
        return float(np.std(interval.values, ddof=1)) if interval.n > 1 else None
    return interval.mean


def _built(slot: Slot) -> Measured:
    if not slot.settings:
        return Measured(None, None, (), 0, None)
    value = float(numbers_of(slot.settings)[slot.measure.removeprefix("architecture.")])
    return Measured(Interval(value, None, None, 1, (value,)), value, (0,), 1, None)


def numbers_of(settings: dict[str, Any]) -> dict[str, int]:
    """Build a network and count its parameters, and of them those that training changes."""
    from copycost.networks import build

    height, width, channels = (int(side) for side in str(settings["shape"]).split("x"))
    network = build(
        settings["architecture"], (height, width, channels), int(settings["classes"]), rng=np.random.default_rng(0)
    )
    trained = sum(one.numel() for one in network.parameters() if one.requires_grad)
    kept = sum(one.numel() for name, one in network.named_buffers() if not name.endswith("num_batches_tracked"))
    return {"parameters": trained + kept, "trainable": trained}


def _by_seed(slot: Slot, choice: Choice, scale: Scale, library: Library, records: Records) -> dict[int, float]:
    path, read = reading(slot.measure)
    found = {}
    for cell in choice.cells:
        value = at_path(result_of(path, choice, cell.seed, scale, library, records), path)
        try:
            number = None if value is None else read(value)
        except (TypeError, ValueError, IndexError):
            raise InvalidInput(
                f"the records of {choice.audit} hold {str(value)[:40]!r} at {path} for seed {cell.seed}, where a "
                "number belongs; move them away and run copycost reproduce again on the same folder."
            ) from None
        if number is not None:
            found[cell.seed] = number
    return found


def result_of(
    path: str, choice: Choice, seed: int, scale: Scale, library: Library, records: Records
) -> dict[str, Any] | None:
    """Return the result that a path leads into: of the seed's target, or of its cell."""
    if path.startswith("target."):
        spec = library.spec(choice.audit, scale)
        record = None if spec is None else records.target(choice.audit, spec, seed)
        return None if record is None else {"target": record["result"]}
    cell = next(cell for cell in choice.cells if cell.seed == seed)
    record = records.cell(choice.audit, cell)
    if record is None:
        return None
    return {"run": record["run"]} if path.startswith("run.") else record["result"]


def at_path(document: Any, path: str) -> Any:
    """Return what a dotted path leads to, or None where it ends early.

    In a list a number is a place in it (-1: the last), and ``*`` takes what follows of every entry.

    Examples
    --------
    >>> at_path({"measures": {"agreement": 0.9, "transfer": None}}, "measures.agreement")
    0.9
    >>> at_path({"measures": {"transfer": None}}, "measures.transfer.made") is None
    True
    >>> at_path({"epochs": [{"loss": 2.0}, {"loss": 1.0}]}, "epochs.*.loss")
    [2.0, 1.0]
    >>> at_path({"epochs": [{"loss": 2.0}, {"loss": 1.0}]}, "epochs.-1.loss")
    1.0
    """
    name, _, rest = path.partition(".")
    if isinstance(document, list) and name == "*":
        return [at_path(one, rest) if rest else one for one in document]
    found: Any = None
    if isinstance(document, list):
        found = document[int(name)] if _is_place(name, len(document)) else None
    elif isinstance(document, dict):
        found = document.get(name)
    return at_path(found, rest) if rest else found


def _is_place(name: str, length: int) -> bool:
    return name.lstrip("-").isdigit() and -length <= int(name) < length


def scaled(value: float, unit: str) -> float:
    """Return a value of a record in the unit of a table: shares become per cent."""
    return 100 * value if unit == "percent" else value


def differs(printed: Published | None, measured: Measured, slot: Slot, unit: str) -> bool | None:
    """Whether a printed number lies outside the interval that was measured; None where that cannot be said.

    A built network is exact. A single seed has no interval, and neither have the highest value and the deviation.
    """
    if printed is None or measured.interval is None:
        return None
    if slot.builds:
        return not printed.low <= measured.interval.mean <= printed.high
    low, high = measured.interval.low, measured.interval.high
    if slot.statistic != "mean" or low is None or high is None:
        return None
    return printed.high < scaled(low, unit) or printed.low > scaled(high, unit)
