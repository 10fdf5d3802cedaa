"""Whether two collections share inputs, as a pool and a held-out set must not."""

from __future__ import annotations

from copycost.errors import InvalidInput
from copycost.inputs import Inputs


def find_overlap(a: Inputs, b: Inputs) -> int:
    """Return how many different inputs occur in both collections, compared by their SHA-256.

    Raises
    ------
    InvalidInput
        If the two are of different media.
    """
    if a.medium != b.medium:
        raise InvalidInput(f"a holds {a.medium}s and b holds {b.medium}s; only inputs of one medium can be shared.")
    return len(set(a.digests()) & set(b.digests()))
