"""Vectors of 64 bytes for Numba kernels: one lane an image, one LLVM instruction an operation.

Numba compiles a loop over 64 bytes well only now and then. These operations hand LLVM its own type <64 x i8>
instead. It becomes one register with AVX-512, two with AVX2 and four with SSE or NEON, so that one kernel is
right on every machine and as fast as the machine is wide.

After a change here, touch the kernels too: Numba's cache looks at the date of a kernel's own file alone.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from llvmlite import ir
from numba import types
from numba.extending import intrinsic, models, register_model

__all__ = [
    "LANES",
    "TALLIED",
    "Lanes",
    "Tally",
    "above",
    "add",
    "add_equal",
    "drop",
    "load",
    "load_tally",
    "lowest_bit",
    "nothing",
    "ones",
    "splat",
    "store",
    "store_tally",
    "tally",
    "zero_where_equal",
]

# What a kernel's type hints say of values that only Numba sees.
Lanes = Any
Tally = Any

LANES = 64
TALLIED = 8

_BYTE = ir.IntType(8)
_VECTOR = ir.VectorType(_BYTE, LANES)
_TALLY = ir.ArrayType(_VECTOR, TALLIED)


class _LanesType(types.Type):
    """64 unsigned bytes."""

    def __init__(self) -> None:
        super().__init__(name="Lanes")


class _TallyType(types.Type):
    """For each value from 1 to TALLIED, how often each lane held it, modulo 256."""

    def __init__(self) -> None:
        super().__init__(name="Tally")


_lanes = _LanesType()
_tally = _TallyType()


@register_model(_LanesType)
class _LanesModel(models.PrimitiveModel):
    def __init__(self, manager: Any, kind: Any) -> None:
        super().__init__(manager, kind, _VECTOR)  # type: ignore[no-untyped-call]


@register_model(_TallyType)
class _TallyModel(models.PrimitiveModel):
    def __init__(self, manager: Any, kind: Any) -> None:
        super().__init__(manager, kind, _TALLY)  # type: ignore[no-untyped-call]


def _operation(function: Callable[..., Any]) -> Any:
    """Declare an operation on lanes; its kernels are compiled by Numba, so type checkers see Any."""
    return intrinsic(prefer_literal=True)(function)


def _address(context: Any, builder: Any, array_type: Any, array: Any, offset: Any) -> Any:
    data = context.make_array(array_type)(context, builder, array).data
    return builder.bitcast(builder.gep(data, [offset]), _VECTOR.as_pointer())


def _constant(value: int) -> Any:
    return ir.Constant(_VECTOR, [value] * LANES)


def _mask(builder: Any, bits: Any) -> Any:
    """Return 255 in the lanes whose bit is set: subtracting it adds one."""
    return builder.sext(bits, _VECTOR)


@_operation
def load(_context: Any, array: Any, offset: Any) -> Any:
    """Return the 64 bytes of a flat uint8 array from ``offset`` on."""

    def generate(context: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
        return builder.load(_address(context, builder, array, *arguments), align=1)

    return _lanes(array, types.intp), generate


@_operation
def store(_context: Any, array: Any, offset: Any, lanes: Any) -> Any:
    """Write 64 bytes into a flat uint8 array from ``offset`` on."""

    def generate(context: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
        builder.store(arguments[2], _address(context, builder, array, *arguments[:2]), align=1)
        return context.get_dummy_value()

    return types.void(array, types.intp, _lanes), generate


@_operation
def store_tally(_context: Any, array: Any, offset: Any, tally: Any) -> Any:
    """Write TALLIED times 64 bytes into a flat uint8 array from ``offset`` on, those of value 1 first."""

    def generate(context: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
        start = arguments[1]
        for index in range(TALLIED):
            offset = builder.add(start, ir.Constant(start.type, index * LANES))
            address = _address(context, builder, array, arguments[0], offset)
            builder.store(builder.extract_value(arguments[2], index), address, align=1)
        return context.get_dummy_value()

    return types.void(array, types.intp, _tally), generate


@_operation
def load_tally(_context: Any, array: Any, offset: Any) -> Any:
    """Return the tally that `store_tally` wrote at ``offset``."""

    def generate(context: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
        start = arguments[1]
        counts = ir.Constant(_TALLY, None)
        for index in range(TALLIED):
            offset = builder.add(start, ir.Constant(start.type, index * LANES))
            address = _address(context, builder, array, arguments[0], offset)
            counts = builder.insert_value(counts, builder.load(address, align=1), index)
        return counts

    return _tally(array, types.intp), generate


@_operation
def splat(_context: Any, value: Any) -> Any:
    """Return 64 times the byte ``value``."""

    def generate(_: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
        first = builder.insert_element(ir.Constant(_VECTOR, ir.Undefined), arguments[0], ir.Constant(ir.IntType(32), 0))
        every = ir.Constant(ir.VectorType(ir.IntType(32), LANES), [0] * LANES)
        return builder.shuffle_vector(first, first, every)

    return _lanes(types.uint8), generate


@_operation
def nothing(_context: Any) -> Any:
    """Return an empty tally."""

    def generate(_: Any, _builder: Any, _signature: Any, _arguments: Any) -> Any:
        return ir.Constant(_TALLY, None)

    return _tally(), generate


@_operation
def add(_context: Any, a: Any, b: Any) -> Any:
    """Return the sums of ``a`` and ``b``, modulo 256."""

    def generate(_: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
        return builder.add(*arguments)

    return _lanes(_lanes, _lanes), generate


@_operation
def add_equal(_context: Any, count: Any, a: Any, b: Any) -> Any:
    """Return ``count`` plus one in the lanes where ``a`` and ``b`` agree, modulo 256."""

    def generate(_: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
        return builder.sub(arguments[0], _mask(builder, builder.icmp_unsigned("==", *arguments[1:])))

    return _lanes(_lanes, _lanes, _lanes), generate


@_operation
def zero_where_equal(_context: Any, value: Any, a: Any, b: Any) -> Any:
    """Return ``value`` with zero in the lanes where ``a`` and ``b`` agree."""

    def generate(_: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
        bits = builder.icmp_unsigned("!=", *arguments[1:])
        return builder.and_(arguments[0], _mask(builder, bits))

    return _lanes(_lanes, _lanes, _lanes), generate


@_operation
def tally(_context: Any, counts: Any, value: Any, most: Any) -> Any:
    """Return ``counts`` with one more for the value of each lane.

    Zeros and values above ``most``, a literal from 1 to TALLIED, are left out.
    """
    if not isinstance(most, types.IntegerLiteral):
        return None
    limit = most.literal_value

    def generate(_: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
        counts, value, _most = arguments
        for index in range(limit):
            bits = builder.icmp_unsigned("==", value, _constant(index + 1))
            more = builder.sub(builder.extract_value(counts, index), _mask(builder, bits))
            counts = builder.insert_value(counts, more, index)
        return counts

    return _tally(_tally, _lanes, most), generate


@_operation
def drop(_context: Any, value: Any) -> Any:
    """Return ``value`` less TALLIED, or zero in the lanes where it is not above TALLIED."""

    def generate(_: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
        limit = _constant(TALLIED)
        bits = builder.icmp_unsigned(">", arguments[0], limit)
        return builder.select(bits, builder.sub(arguments[0], limit), _constant(0))

    return _lanes(_lanes), generate


@_operation
def ones(_context: Any, bits: Any) -> Any:
    """Return the number of bits set."""

    def generate(_: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
        return builder.ctpop(arguments[0])

    return types.intp(types.uint64), generate


@_operation
def above(_context: Any, value: Any) -> Any:
    """Return a bit for each lane whose value is above TALLIED, the bit of lane 0 lowest."""

    def generate(_: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
        bits = builder.icmp_unsigned(">", arguments[0], _constant(TALLIED))
        return builder.bitcast(bits, ir.IntType(LANES))

    return types.uint64(_lanes), generate


@_operation
def lowest_bit(_context: Any, bits: Any) -> Any:
    """Return the position of the lowest bit set; undefined for zero."""

    def generate(_: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
        return builder.cttz(arguments[0], ir.Constant(ir.IntType(1), 1))

    return types.intp(types.uint64), generate
