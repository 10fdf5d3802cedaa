"""Video tracks: images of one track are near-duplicates, so that parts of a set should not share one."""

from __future__ import annotations

import re

import numpy as np

from copycost._types import IntArray
from copycost.datasets._dataset import Dataset
from copycost.errors import InvalidInput

_FRAME = re.compile(r"(?:.*/)?(?P<track>\d{5})_\d{5}\.ppm")


def tracks_of(dataset: Dataset) -> IntArray | None:
    """Return the track of each input (n,), numbered within its class, or None where nothing tells it.

    Either the set came with its tracks, or all its files are named ``TTTTT_FFFFF.ppm`` by track and frame, as those of
    GTSRB's training part are.
    """
    if dataset.tracks is not None:
        return dataset.tracks
    found = [_FRAME.fullmatch(file) for file in dataset.files]
    numbers = [int(one["track"]) for one in found if one is not None]
    return np.array(numbers, dtype=np.int64) if found and len(numbers) == len(found) else None


def split_by_track(labels: IntArray, tracks: IntArray, parts: int, rng: np.random.Generator) -> tuple[IntArray, ...]:
    """Divide a set into parts that share no track, each class as evenly as whole tracks allow.

    Class by class, tracks are taken in random order, longer ones first, and each goes to the part with the fewest
    inputs of that class, then the fewest of all, then the lowest number. Where the tracks of a class are equally long,
    two parts differ by at most one of them.

    Parameters
    ----------
    labels : int array (n,)
        The class of each input.
    tracks : int array (n,)
        Its track; of two classes, equal numbers are two tracks.
    parts : int
        How many parts, at least 1.
    rng : numpy.random.Generator
        Draws the order.

    Returns
    -------
    tuple of int64 arrays
        Indices of each part, ascending; together they are all inputs. A class of fewer tracks is not in every part.

    Raises
    ------
    InvalidInput
        If labels and tracks differ in length, or a part would be empty.

    Examples
    --------
    >>> halves = split_by_track(np.array([0, 0, 0, 0]), np.array([7, 7, 8, 8]), 2, np.random.default_rng(0))
    >>> sorted(half.tolist() for half in halves)
    [[0, 1], [2, 3]]
    """
    if labels.shape != tracks.shape or labels.ndim != 1:
        raise InvalidInput(f"labels have shape {labels.shape} and tracks {tracks.shape}; one of each input is needed.")
    part_of = np.full(len(labels), -1, dtype=np.int64)
    whole = np.zeros(parts, dtype=np.int64)
    for name in np.unique(labels):
        mine = np.flatnonzero(labels == name)
        numbers, sizes = np.unique(tracks[mine], return_counts=True)
        drawn = rng.permutation(len(numbers))
        of_class = np.zeros(parts, dtype=np.int64)
        for place in drawn[np.argsort(-sizes[drawn], kind="stable")]:
            part = np.lexsort((whole, of_class))[0]
            part_of[mine[tracks[mine] == numbers[place]]] = part
            of_class[part] += sizes[place]
            whole[part] += sizes[place]
    if not whole.all():
        raise InvalidInput(
            f"there are too few tracks for {parts} parts without a common one; ask for fewer, or for parts by image."
        )
    return tuple(np.flatnonzero(part_of == part) for part in range(parts))
