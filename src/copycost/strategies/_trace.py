"""TRACE: the queries whose neurons in the target are activated most alike, or least."""

from __future__ import annotations

import dataclasses
import hashlib
from dataclasses import dataclass
from typing import ClassVar, Literal, cast

import numpy as np

from copycost._types import AnyArray, ByteArray, IntArray
from copycost.errors import InvalidInput
from copycost.similarity import Hamming
from copycost.similarity._cost import matrix_bytes, matrix_fits
from copycost.strategies._base import Grouping, Knowledge, Queries
from copycost.strategies._groups import Grouped, group_sizes
from copycost.subsets import lightest_subset

__all__ = ["Trace"]

_PAIR = 4e-8  # seconds for one pair of traces of some thousand neurons
_SOLVER_STEP = 1e-9  # seconds for one point of one step of greedy and replacement together
_ROWS = 16  # traces counted, or cut, together
_SET_BITS = np.array([byte.bit_count() for byte in range(256)], np.uint8)


@dataclass(frozen=True)
class Trace(Grouped):
    """Minimise, or maximise, the sum of Hamming distances between activation traces over all pairs chosen.

    Solved as DRMI is, by its Algorithms 1 to 3, on the distances themselves: there is no alpha. A trace says of each
    neuron of the target's ReLU layers whether it is activated. It looks inside the target. Layers are the
    modules `torch.nn.ReLU` of its network; a ReLU that the network calls as a function is passed over, and nothing says
    so where there are modules besides.

    Traces take a bit for each neuron and member of the pool, twice while distances are computed; above 2 GiB they are
    refused.

    Attributes
    ----------
    layers : {"all", "last"}
        Neurons of all ReLU layers, as section 5.4.3 defines a trace, or of the last one, which of all sets of LeNet-5's
        ReLU layers comes nearest to the shares of Figure 7.
    direction : {"min", "max"}
        The smallest sum, or the largest, which is the smallest of the negated distances.
    init : {"min-sum", "min-max"}
        How the greedy start grows (Equations 7 and 8).
    starts : int or None
        Starting images: so many drawn by the generator, or all (None, written ``all``).
    group : {"none", "label"}
        Choose within each known label, the paper's protocol, or among the whole pool.
    redistribute : bool
        Let other groups take what a small group cannot give.
    """

    name: ClassVar[str] = "trace"
    media: ClassVar[frozenset[str]] = frozenset({"image"})
    source: ClassVar[str] = "DRMI, section 5.4.3, Equation 11, Table 13; solved by Algorithms 1 to 3"

    layers: Literal["all", "last"] = "all"
    direction: Literal["min", "max"] = "max"
    init: Literal["min-sum", "min-max"] = "min-sum"
    starts: int | None = None
    group: Grouping = "none"
    redistribute: bool = False

    def __post_init__(self) -> None:
        if self.starts is not None and self.starts < 1:
            raise InvalidInput(f"trace starts is {self.starts}; 1 or more is needed, or 'all'.")

    @property
    def needs(self) -> frozenset[str]:
        """A look inside the target, and the pool's labels where it is grouped by them."""
        return super().needs | {"target_traces"}

    def seconds(self, knowledge: Knowledge, k: int) -> float:
        """Return the time of all distances for some thousand neurons, and of the solver, from its complexity."""
        total = 0.0
        for size in group_sizes(knowledge, self.group).tolist():
            share = k * size / len(knowledge.pool)
            starts = size if self.starts is None else min(self.starts, size)
            total += size**2 * _PAIR + starts * share * size * _SOLVER_STEP
        return total

    def choose(self, knowledge: Knowledge, k: int, *, rng: np.random.Generator) -> Queries:
        """Return ``k`` members, group after group; the layers that count are cut out once for all groups."""
        bits, neurons = self._traces(knowledge)
        cut = dataclasses.replace(knowledge, target_traces=bits, target_layers=(neurons,))
        return super().choose(cut, k, rng=rng)

    def check_group(self, n: int) -> None:
        """Refuse all starts over so many inputs that the matrix of their distances would not be kept."""
        if not (self._samples(n) or matrix_fits(n)):
            raise InvalidInput(
                f"trace with all starts over {n} inputs needs a matrix of {matrix_bytes(n) / 2**30:.1f} GiB; give a "
                "number of starts, such as starts=8, group by label, or take a part of the pool."
            )

    def choose_within(self, ids: IntArray, count: int, knowledge: Knowledge, rng: np.random.Generator) -> IntArray:
        """Return ``count`` of ``ids``, kept where nothing is drawn."""
        bits = cast(ByteArray, knowledge.target_traces)
        if len(ids) < len(bits):
            bits = bits[ids]
        if self._samples(len(ids)):
            return ids[self._solve(bits, count, knowledge, rng)]
        self.check_group(len(ids))
        digest = hashlib.sha256(repr(bits.shape).encode())
        digest.update(np.ascontiguousarray(bits).data)
        key = ("trace/1", digest.hexdigest(), count, self.direction, self.init)
        return ids[knowledge.memo.array(key, lambda: self._solve(bits, count, knowledge, None))]

    def facts(self, knowledge: Knowledge) -> dict[str, float]:
        """Return what share of the neurons each trace of the pool has activated: median, quartiles and ends (Figure 7).

        The ends are those of a box plot: the outermost within one and a half times the width of the box.
        """
        bits, neurons = cast(ByteArray, knowledge.target_traces), sum(knowledge.target_layers)
        shares = np.concatenate([_SET_BITS[bits[part]].sum(axis=1) for part in _parts(len(bits))]) / neurons
        low, middle, high = (float(value) for value in np.quantile(shares, (0.25, 0.5, 0.75)))
        inside = shares[(shares >= low - 1.5 * (high - low)) & (shares <= high + 1.5 * (high - low))]
        return {
            "active_lowest": float(inside.min()),
            "active_lower_quartile": low,
            "active_median": middle,
            "active_upper_quartile": high,
            "active_highest": float(inside.max()),
        }

    def _samples(self, n: int) -> bool:
        """Return whether there are fewer starts than inputs, so that the choice depends on the generator."""
        return self.starts is not None and self.starts < n

    def _traces(self, knowledge: Knowledge) -> tuple[ByteArray, int]:
        """Return the traces of the pool over the layers that count, packed, and how many neurons those are."""
        bits, layers = cast(ByteArray, knowledge.target_traces), knowledge.target_layers
        if self.layers == "all":
            return bits, sum(layers) or 8 * bits.shape[1]
        if not layers:
            raise InvalidInput(
                "trace layers is 'last', and how many neurons each layer has is not known; give target_layers, or take "
                "layers=all."
            )
        first, skipped = divmod(sum(layers[:-1]), 8)
        last = np.empty((len(bits), -(-layers[-1] // 8)), np.uint8)
        for part in _parts(len(bits)):
            states = np.unpackbits(bits[part, first:], axis=1)[:, skipped : skipped + layers[-1]]
            last[part] = np.packbits(states, axis=1)
        return last, layers[-1]

    def _solve(self, bits: ByteArray, count: int, knowledge: Knowledge, rng: np.random.Generator | None) -> AnyArray:
        distances = Hamming(bits)
        return lightest_subset(
            distances if self.direction == "min" else distances.negate(),
            count,
            method="paper",
            init=self.init,
            starts=None if rng is None else self.starts,
            rng=rng,
            progress=lambda share: knowledge.report(f"solving for {count}", share),
        ).indices


def _parts(n: int) -> list[slice]:
    return [slice(start, start + _ROWS) for start in range(0, n, _ROWS)]
