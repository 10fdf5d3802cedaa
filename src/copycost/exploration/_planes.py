"""Points in a plane: the two directions of largest variance, and t-SNE."""

from __future__ import annotations

from importlib import metadata
from typing import Any

import numpy as np
import numpy.typing as npt

from copycost.errors import MissingExtra
from copycost.exploration._result import Plane
from copycost.inputs import Images, Inputs, Texts

__all__ = ["gram_matrix", "linear_plane", "neighbour_plane", "principal_components", "versions"]

Float64Array = npt.NDArray[np.float64]

_PIXELS_AT_ONCE = 4096
_MOST_WORDS = 20_000
_FEWEST = 4
_DIMENSIONS = 50
_PERPLEXITY = 30.0
_WIDTH = 1e-4  # of the first positions, as scikit-learn's own start from PCA has it
_ALIKE = "all inputs of the sample are alike"


def gram_matrix(inputs: Inputs) -> Float64Array | None:
    """Return the inner products (n, n) of centred inputs: pixels in [0, 1], or TF-IDF of words; None without a word.

    From it come all principal components, in memory of n x n whatever the images' size or the vocabulary.
    """
    if isinstance(inputs, Images):
        return _of_images(inputs)
    assert isinstance(inputs, Texts)
    return _of_texts(inputs)


def _of_images(images: Images) -> Float64Array:
    flat = images.array.reshape(len(images), -1)
    total = np.zeros((len(images), len(images)))
    for start in range(0, flat.shape[1], _PIXELS_AT_ONCE):
        part = flat[:, start : start + _PIXELS_AT_ONCE] / 255.0
        part -= part.mean(axis=0)
        total += part @ part.T
    return total


def _of_texts(texts: Texts) -> Float64Array | None:
    try:
        from sklearn.feature_extraction.text import TfidfVectorizer
    except ImportError:
        raise _missing() from None
    vectorizer = TfidfVectorizer(max_features=_MOST_WORDS)
    if not any(map(vectorizer.build_analyzer(), texts.texts)):
        return None
    rows = vectorizer.fit_transform(texts.texts)
    products: Float64Array = np.asarray((rows @ rows.T).todense(), dtype=np.float64)
    mean = products.mean(axis=0)
    centred: Float64Array = products - mean[:, None] - mean[None, :] + mean.mean()
    return centred


def principal_components(gram: Float64Array, most: int) -> tuple[Float64Array, Float64Array]:
    """Return coordinates (n, m) along the directions of largest variance, and the share of variance of each (m,).

    ``m`` is at most ``most``, and only directions that carry variance count; without any, ``m`` is 0. The sign of each
    is such that its coordinate of largest size is positive.
    """
    from scipy.linalg import eigh

    n, total = len(gram), float(np.trace(gram))
    floor = 1e-12 * n * max(total, 1e-12)
    if n < 2 or total <= floor:
        return np.zeros((n, 0)), np.zeros(0)
    values, vectors = eigh(gram, subset_by_index=(max(0, n - most), n - 1))
    values, vectors = values[::-1], vectors[:, ::-1]
    kept = values > floor
    found = vectors[:, kept] * np.sqrt(values[kept])
    largest = np.abs(found).argmax(axis=0)
    found *= np.where(found[largest, np.arange(found.shape[1])] < 0, -1.0, 1.0)
    return found, values[kept] / total


def linear_plane(components: Float64Array, shares: Float64Array, medium: str) -> Plane:
    """Return the first two principal components as a plane."""
    method = "PCA of pixels" if medium == "image" else "PCA of TF-IDF weighted words"
    if not len(shares):
        return Plane(method, reason=_ALIKE)
    points, explained = np.zeros((len(components), 2)), [0.0, 0.0]
    for axis in range(min(2, len(shares))):
        points[:, axis], explained[axis] = components[:, axis], float(shares[axis])
    return Plane(method, _rounded(points), (explained[0], explained[1]))


def neighbour_plane(components: Float64Array, rng: np.random.Generator) -> Plane:
    """Return the points that t-SNE finds from the first 50 principal components at most (n, m).

    The perplexity is 30, or a third of the other points where those are few; positions start at the first two
    components, and one thread works, so that the same generator gives the same points.
    """
    n, m = components.shape
    if n < _FEWEST:
        return Plane("t-SNE", reason=f"t-SNE needs {_FEWEST} inputs or more, and the sample holds {n}")
    if not m:
        return Plane("t-SNE", reason=_ALIKE)
    try:
        from sklearn.manifold import TSNE
        from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]
    except ImportError:
        raise _missing() from None
    perplexity = min(_PERPLEXITY, (n - 1) / 3)
    start = np.zeros((n, 2), np.float32)
    start[:, : min(2, m)] = components[:, :2] / components[:, 0].std() * _WIDTH
    start += rng.normal(0, 0.01 * _WIDTH, start.shape).astype(np.float32)  # inputs that are alike must be able to part
    found: Any = TSNE(perplexity=perplexity, init=start, random_state=int(rng.integers(2**31)), n_jobs=1)
    with threadpool_limits(1):
        points = found.fit_transform(components[:, :_DIMENSIONS].astype(np.float32))
    return Plane(f"t-SNE, perplexity {perplexity:.3g}, of {min(m, _DIMENSIONS)} principal components", _rounded(points))


def versions() -> dict[str, str]:
    """Return the versions of the packages that the points depend on."""
    try:
        return {name: metadata.version(name) for name in ("numpy", "scipy", "scikit-learn")}
    except metadata.PackageNotFoundError:
        raise _missing() from None


def _rounded(points: npt.NDArray[Any]) -> tuple[tuple[float, float], ...]:
    return tuple((float(f"{x:.5g}"), float(f"{y:.5g}")) for x, y in points.tolist())


def _missing() -> MissingExtra:
    return MissingExtra("exploring data needs scikit-learn; install it with: pip install 'copycost[audit]'")
