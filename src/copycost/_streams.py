"""Independent random streams by name, so that adding one draw never moves another."""

import hashlib

import numpy as np

__all__ = ["stream"]


def stream(seed: int, *names: object) -> np.random.Generator:
    """Return the generator for ``seed`` and a path of names, such as ``("choice", 150)``.

    Examples
    --------
    >>> stream(0, "choice", 50).integers(1000) == stream(0, "choice", 50).integers(1000)
    True
    """
    words = np.frombuffer(hashlib.sha256(repr(names).encode()).digest(), dtype="<u4")
    return np.random.default_rng([seed, *(int(word) for word in words)])
