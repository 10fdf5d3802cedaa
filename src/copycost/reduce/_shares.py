"""How many images each class gives, where the choice is made class by class."""

from __future__ import annotations

import numpy as np

from copycost._types import IntArray
from copycost.datasets import largest_remainder
from copycost.errors import InvalidInput

__all__ = ["class_shares"]


def class_shares(k: int, sizes: IntArray, kept: IntArray) -> IntArray:
    """Divide ``k`` over classes in proportion to their sizes, each class at least what is kept of it.

    Parameters
    ----------
    k : int
        Images in all, from the number kept to the number there are.
    sizes : int64 array (c,)
        Images of each class, at least 1.
    kept : int64 array (c,)
        Images of each that must be in.

    Returns
    -------
    int64 array (c,)
        The largest remainder's parts; where one would be below what is kept, the class gets that and the others
        share the rest.

    Raises
    ------
    InvalidInput
        If there are fewer images than classes.
    """
    if k < len(sizes):
        raise InvalidInput(
            f"the size is {k} and there are {len(sizes)} classes; --by-label takes at least one image of each, "
            "so ask for more or leave it out."
        )
    fixed = np.zeros(len(sizes), dtype=bool)
    shares = largest_remainder(k, sizes)
    while (short := ~fixed & (shares < kept)).any():
        fixed |= short
        shares = kept.copy()
        rest = k - int(kept[fixed].sum())
        if (~fixed).any():
            shares[~fixed] = largest_remainder(rest, sizes[~fixed])
    return shares
