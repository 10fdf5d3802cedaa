"""The tile kernel on a GPU, in Triton: the same layout, the same table, the same values to the bit.

One program walks one image against a tile of 64, one thread a lane, as `_tile_kernel` describes it. A GPU has
registers for wide counters, so nothing is tallied: each lane adds f(r + 1) - f(r) by itself in float64, where sums of
the table are exact. Runs too long to compare all rows with all earlier rows are counted level by level instead.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import torch
import triton  # type: ignore[import-untyped]
import triton.language as tl  # type: ignore[import-untyped]

from copycost._types import ByteArray
from copycost.errors import InvalidInput
from copycost.similarity._lanes import LANES
from copycost.similarity._pairs import weights
from copycost.similarity._tiles import Tiled, common_level, part, tile

__all__ = ["matrix", "require_gpu"]

_LONG = 512
_BAND = 64 * LANES
# Two warps are the 64 lanes; fused multiplication is not used and is named because its default changes.
_LAUNCH = {"num_warps": 2, "enable_fp_fusion": False}


class _OnDevice(NamedTuple):
    """A `Tiled` as tensors; see there."""

    bytes: torch.Tensor
    walk: torch.Tensor
    walk_start: torch.Tensor
    runs: torch.Tensor
    runs_start: torch.Tensor
    marginal: torch.Tensor
    paper: torch.Tensor
    pixels: int
    background: int


def require_gpu(device: str) -> torch.device:
    """Return the device of that name, or raise InvalidInput if there is no such GPU on this machine."""
    try:
        wanted = torch.device(device)
    except RuntimeError as error:
        raise InvalidInput(f"device is {device!r}; 'cpu', 'cuda' or 'cuda:1' (and so on) is needed.") from error
    count = torch.cuda.device_count() if torch.cuda.is_available() else 0
    if wanted.type != "cuda" or (wanted.index or 0) >= count:
        raise InvalidInput(
            f"device is {device!r} and this machine has {count} CUDA devices that torch can use; "
            "use device='cpu', which needs none."
        )
    return wanted


def matrix(pixels: ByteArray, device: torch.device, report: Callable[[float], None]) -> torch.Tensor:
    """Return the mutual information between all pairs of images, float32 (n, n) on ``device``, in nats.

    Parameters
    ----------
    pixels : uint8 (n, p)
    device : torch.device
        A GPU; the CPU only under Triton's interpreter.
    report : callable
        Called with the share done.
    """
    n = len(pixels)
    tiled = tile(pixels, common_level(pixels))
    f, d = (torch.from_numpy(weight).to(device) for weight in weights(pixels.shape[1]))
    out = torch.empty((n, n), dtype=torch.float32, device=device)
    report(0.0)
    for top in range(0, n, _BAND):
        stop = min(top + _BAND, n)
        rows = _to_device(part(tiled, top // LANES, -(-stop // LANES)), device)
        columns = _to_device(part(tiled, top // LANES, -(-n // LANES)), device)
        values = _between(rows, columns, f, d)
        out[top:stop, top:] = values
        out[top:, top:stop] = values.T
        report(1.0 - ((n - stop) / n) ** 2)
    return out


def _to_device(tiled: Tiled, device: torch.device) -> _OnDevice:
    first, last = int(tiled.walk_start[0]), int(tiled.walk_start[-1])
    first_run, last_run = int(tiled.runs_start[0]), int(tiled.runs_start[-1])
    return _OnDevice(
        torch.from_numpy(tiled.bytes).to(device),
        # One more entry, so that a tensor of images without ink still has an address.
        torch.from_numpy(np.append(tiled.walk[first:last], 0).astype(np.int32)).to(device),
        torch.from_numpy(tiled.walk_start - first).to(device),
        torch.from_numpy(np.append(tiled.runs[first_run:last_run], 0).astype(np.int32)).to(device),
        torch.from_numpy(tiled.runs_start - first_run).to(device),
        torch.from_numpy(tiled.marginal).to(device),
        torch.from_numpy(tiled.paper).to(device),
        tiled.pixels,
        tiled.background,
    )


def _between(a: _OnDevice, b: _OnDevice, f: torch.Tensor, d: torch.Tensor) -> torch.Tensor:
    m, n = len(a.marginal), len(b.marginal)
    ink = torch.empty((m, n), dtype=torch.float64, device=f.device)
    paper = torch.empty((n, m), dtype=torch.float64, device=f.device)
    _add_ink[m, -(-n // LANES)](
        *(b.bytes, b.paper, a.walk, a.walk_start, a.runs, a.runs_start, f, d, ink),
        *(b.pixels, n, b.background),
        lanes=LANES,
        long=_LONG,
        **_LAUNCH,
    )
    _add_paper[n, -(-m // LANES)](
        *(a.bytes, b.walk, b.walk_start, b.runs, b.runs_start, f, paper),
        *(a.pixels, m, a.background),
        lanes=LANES,
        **_LAUNCH,
    )
    total = ink.add_(paper.T).add_(f[a.pixels]).sub_(a.marginal[:, None]).sub_(b.marginal[None, :])
    return total.clamp_(min=0.0).div_(a.pixels).to(torch.float32)


@triton.jit  # type: ignore[untyped-decorator]
def _add_ink(  # type: ignore[no-untyped-def]
    tiles,
    papers,
    walk,
    walk_start,
    runs,
    runs_start,
    f,
    d,
    out,
    pixels,
    n,
    background,
    lanes: tl.constexpr,
    long: tl.constexpr,
):
    """Store the sums over the cells (i, j), (i, paper) and (paper, paper) of image u against 64 images."""
    u = tl.program_id(0).to(tl.int64)
    block = tl.program_id(1).to(tl.int64)
    lane = tl.arange(0, lanes)
    tile = tiles + block * pixels * lanes + lane
    total = tl.zeros([lanes], tl.float64)
    blank = tl.zeros([lanes], tl.int32)
    at = tl.load(walk_start + u)
    end = tl.load(walk_start + u + 1)
    for run in range(tl.load(runs_start + u), tl.load(runs_start + u + 1)):
        stop = at + tl.load(runs + run)
        shown = tl.zeros([lanes], tl.int32)
        if stop - at > long:
            for level in range(256):
                count = tl.zeros([lanes], tl.int32)
                for t in range(at, stop):
                    count += (tl.load(tile + tl.load(walk + t) * lanes) == level).to(tl.int32)
                total += tl.load(f + count)
                if level == background:
                    shown = count
        else:
            for t in range(at, stop):
                x = tl.load(tile + tl.load(walk + t) * lanes)
                before = tl.zeros([lanes], tl.int32)
                for q in range(at, t):
                    before += (tl.load(tile + tl.load(walk + q) * lanes) == x).to(tl.int32)
                shown += (x == background).to(tl.int32)
                total += tl.load(d + tl.where(x == background, 0, before))
            total += tl.load(f + shown)
        blank += shown
        at = stop
    for t in range(at, end):
        blank += (tl.load(tile + tl.load(walk + t) * lanes) == background).to(tl.int32)
    column = block * lanes + lane
    inside = column < n
    total += tl.load(f + tl.load(papers + column, mask=inside, other=pixels) - blank)
    tl.store(out + u * n + column, total, mask=inside)


@triton.jit  # type: ignore[untyped-decorator]
def _add_paper(  # type: ignore[no-untyped-def]
    tiles,
    walk,
    walk_start,
    runs,
    runs_start,
    f,
    out,
    pixels,
    m,
    background,
    lanes: tl.constexpr,
):
    """Store the sums over the cells (paper, j) of 64 images, j the levels of the walked image v."""
    v = tl.program_id(0).to(tl.int64)
    block = tl.program_id(1).to(tl.int64)
    lane = tl.arange(0, lanes)
    tile = tiles + block * pixels * lanes + lane
    total = tl.zeros([lanes], tl.float64)
    at = tl.load(walk_start + v)
    for run in range(tl.load(runs_start + v), tl.load(runs_start + v + 1)):
        stop = at + tl.load(runs + run)
        shown = tl.zeros([lanes], tl.int32)
        for t in range(at, stop):
            shown += (tl.load(tile + tl.load(walk + t) * lanes) == background).to(tl.int32)
        total += tl.load(f + shown)
        at = stop
    row = block * lanes + lane
    tl.store(out + v * m + row, total, mask=row < m)
