"""What the benchmark measures: this project and others, each on what was prepared in a folder."""

from __future__ import annotations

import time
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]
Result = dict[str, Any]
Measure = Callable[[Path], Result]

REPEATS, ENOUGH = 3, 5.0  # runs, and seconds after which none is added
IMAGES = 2000  # in a matrix
SHARED = 24  # images whose pairs every program measures
COVERED, LIGHTEST = 100, 60
FOOLED, FOOLED_BASE = 256, 64
BASE = "activethief-bc"
CENTRES, FEW_CENTRES = 10_000, 300
LARGE, STARTS = 600, 8
CLASS_SIZE = 6000


def prepare(scratch: Path) -> Result:
    """Write what several rows read, so that making it counts in the memory of none; return the machine."""
    from copycost.audit._records import machine
    from copycost.datasets import images_of, load
    from copycost.errors import MissingData
    from copycost.similarity import mutual_information

    whole = images_of(load("embedded")).array[..., 0]
    images = {"digits": whole[np.random.default_rng(0).permutation(len(whole))[:IMAGES]]}
    for name, text in (("colours", f"cifar10:train[:{IMAGES}]"), ("mnist", "mnist:train")):
        try:
            images[name] = images_of(load(text, download=False)).array
        except MissingData:
            continue
    for name, array in images.items():
        np.save(scratch / f"{name}.npy", array)
        if len(array) == IMAGES:
            np.save(scratch / f"{name}-matrix.npy", mutual_information(array))
    return machine()


def read(scratch: Path, name: str) -> Array:
    """Return what was prepared."""
    found: Array = np.load(scratch / f"{name}.npy")
    return found


def timed(count: float, work: Callable[[], Any]) -> Result:
    """Return the seconds for ``count`` units of work: the least of three runs, or of fewer where they are long."""
    runs: list[float] = []
    while len(runs) < REPEATS and sum(runs) < ENOUGH:
        start = time.perf_counter()
        work()
        runs.append(time.perf_counter() - start)
    return {"count": count, "seconds": min(runs), "runs": len(runs)}


def ours(images: str) -> Measure:
    """Measure all pairs of images."""

    def measure(scratch: Path) -> Result:
        from copycost.similarity import mutual_information

        array = read(scratch, images)
        mutual_information(array[:64])
        return timed(len(array) * (len(array) + 1) / 2, lambda: mutual_information(array))

    return measure


def each_pair(
    images: str, function: Callable[[], Callable[[Array, Array], float]], normalised: bool = False
) -> Measure:
    """Measure another program pair by pair, and check that it agrees with ours."""

    def measure(scratch: Path) -> Result:
        array, one = read(scratch, images)[:SHARED], function()
        rows, columns = np.triu_indices(SHARED, 1)
        one(array[0], array[1])
        kept: list[list[float]] = []
        found = timed(
            len(rows), lambda: kept.append([one(array[a], array[b]) for a, b in zip(rows, columns, strict=True)])
        )
        matrix = np.load(scratch / f"{images}-matrix.npy", mmap_mode="r")[:SHARED, :SHARED].astype(np.float64)
        expected = matrix[rows, columns]
        if normalised:
            total = np.diagonal(matrix)[rows] + np.diagonal(matrix)[columns]
            expected = total / (total - expected)
        gap = float(np.abs(np.array(kept[0]) - expected).max())
        if gap > 1e-4:
            raise ValueError(f"the values differ by {gap:.3g}")
        return found | {"largest_difference": gap}

    return measure


def scikit_learn() -> Callable[[Array, Array], float]:
    """Return scikit-learn's mutual information of two labellings, for two images."""
    from sklearn.metrics import mutual_info_score

    return lambda a, b: float(mutual_info_score(a.ravel(), b.ravel()))


def scikit_image() -> Callable[[Array, Array], float]:
    """Return scikit-image's normalised measure, (H(u) + H(v)) / H(u, v), with a bin for each level."""
    from skimage.metrics import normalized_mutual_information

    # Its bins span each image's own range, so that 256 of them are narrower than a level and keep levels apart.
    return lambda a, b: float(normalized_mutual_information(a, b, bins=256))


def histogram2d() -> Callable[[Array, Array], float]:
    """Return the formula written with NumPy's two-dimensional histogram."""

    def measure(a: Array, b: Array) -> float:
        edges = np.arange(257)
        joint = np.histogram2d(a.ravel(), b.ravel(), bins=(edges, edges))[0] / a.size
        product = np.outer(joint.sum(axis=1), joint.sum(axis=0))
        there = joint > 0
        return float((joint[there] * np.log(joint[there] / product[there])).sum())

    return measure


def squared(scratch: Path) -> Array:
    """Return the squared mutual information of the digits."""
    found: Array = np.square(read(scratch, "digits-matrix"))
    return found


def normalised(scratch: Path) -> Array:
    """Return the mutual information of the digits divided by the geometric mean of the entropies."""
    whole = read(scratch, "digits-matrix")
    roots = np.sqrt(np.diagonal(whole))
    found: Array = (whole / np.outer(roots, roots)).astype(np.float32)
    return found


def solver(
    given: Callable[[Path], Array],
    solve: Callable[[Array, int], Array],
    value: Callable[[Array, Array], float],
    k: int,
) -> Measure:
    """Measure a solver on a matrix, after one call on a small one that compiles it."""

    def measure(scratch: Path) -> Result:
        whole = given(scratch)
        small = np.ascontiguousarray(whole[:40, :40])
        solve(small, 5)
        kept: list[Array] = []
        found = timed(1, lambda: kept.append(solve(whole, k)))
        return found | {"objective": value(whole, kept[0])}

    return measure


def covered(whole: Array, chosen: Array) -> float:
    """Return the sum of similarities to the nearest chosen."""
    return float(whole[chosen].max(axis=0).sum(dtype=np.float64))


def weight(whole: Array, chosen: Array) -> float:
    """Return the sum over the pairs chosen."""
    return float(np.triu(whole[np.ix_(chosen, chosen)].astype(np.float64), 1).sum())


def our_coverage(whole: Array, k: int) -> Array:
    """Choose by our greedy with lazy gains."""
    from copycost.similarity import Dense
    from copycost.subsets import coverage

    return coverage(Dense(whole), k).indices


def our_lightest(method: str, starts: int | None) -> Callable[[Array, int], Array]:
    """Choose by one of our solvers."""

    def solve(whole: Array, k: int) -> Array:
        from copycost.similarity import Dense
        from copycost.subsets import lightest_subset

        rng = np.random.default_rng(0)
        return lightest_subset(Dense(whole), k, method=method, starts=starts, rng=rng).indices  # type: ignore[arg-type]

    return solve


def apricot(name: str) -> Callable[[Array, int], Array]:
    """Choose by a selection of apricot, on a similarity that is given, with its lazy greedy."""

    def solve(whole: Array, k: int) -> Array:
        import apricot as package

        selection = getattr(package, name)(k, metric="precomputed", optimizer="lazy")
        return np.asarray(selection.fit(whole.astype(np.float64)).ranking)

    return solve


def network(architecture: str) -> Any:
    """Return a network trained for 500 updates on the digits, the same in every process."""
    from copycost.datasets import load
    from copycost.networks import Classifier, build
    from copycost.oracle import Answers
    from copycost.substitutes import Labelled, Schedule, fit

    data = load("embedded")
    assert data.labels is not None
    classifier = Classifier(build(architecture, (28, 28, 1), 10, rng=np.random.default_rng(0)))
    answers = Labelled(data.inputs, Answers(data.labels))
    fit(classifier, answers, schedule=Schedule(length=500, batch=32), rng=np.random.default_rng(1))
    return classifier.network


def our_deepfool(architecture: str, count: int) -> Measure:
    """Measure our DeepFool on the first digits."""

    def measure(scratch: Path) -> Result:
        import torch

        from copycost.adversarial import deepfool

        torch.set_num_threads(1)
        model = network(architecture)
        images = torch.from_numpy(read(scratch, "digits")[:count, np.newaxis] / np.float32(255))
        deepfool(model, images[:4])
        kept: list[Any] = []
        found = timed(count, lambda: kept.append(deepfool(model, images)))
        return found | {"objective": float(kept[0].distances[kept[0].fooled].mean())}

    return measure


def foolbox_deepfool(architecture: str, count: int) -> Measure:
    """Measure foolbox's DeepFool with the same settings."""

    def measure(scratch: Path) -> Result:
        import torch

        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            import foolbox
        torch.set_num_threads(1)
        model = network(architecture)
        images = torch.from_numpy(read(scratch, "digits")[:count, np.newaxis] / np.float32(255))
        wrapped = foolbox.PyTorchModel(model, bounds=(0, 1), device="cpu")  # type: ignore[attr-defined]
        attack = foolbox.attacks.L2DeepFoolAttack(steps=50, candidates=10, overshoot=0.02)  # type: ignore[attr-defined]
        criterion = foolbox.criteria.Misclassification(model(images).argmax(1))
        few = foolbox.criteria.Misclassification(model(images[:4]).argmax(1))
        kept: list[Any] = []
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            attack(wrapped, images[:4], few, epsilons=None)
            found = timed(count, lambda: kept.append(attack(wrapped, images, criterion, epsilons=None)))
        raw, _, fooled = kept[0]
        return found | {"objective": float((raw - images).flatten(1).norm(dim=1)[fooled].mean())}

    return measure


def points() -> Array:
    """Return 100,000 probability vectors of 10 classes."""
    return np.random.default_rng(0).dirichlet(np.full(10, 0.3), 100_000).astype(np.float32)


def our_k_center(scratch: Path) -> Result:
    """Choose 10,000 centres of 100,000 points."""
    from copycost.subsets import k_center

    vectors, kept = points(), []
    k_center(vectors[:100], 5)
    found = timed(CENTRES, lambda: kept.append(k_center(vectors, CENTRES)))
    return found | {"objective": float(k_center(vectors, FEW_CENTRES).radius)}


def numpy_k_center(scratch: Path) -> Result:
    """Choose by running minimum distances written with NumPy, fewer centres as it is slow."""
    vectors, kept = points(), []

    def choose() -> float:
        chosen = int(((vectors - vectors.mean(axis=0)) ** 2).sum(axis=1).argmax())
        nearest = np.full(len(vectors), np.inf)
        for _ in range(FEW_CENTRES):
            nearest = np.minimum(nearest, ((vectors - vectors[chosen]) ** 2).sum(axis=1))
            chosen = int(nearest.argmax())
        return float(np.sqrt(nearest.max()))

    found = timed(FEW_CENTRES, lambda: kept.append(choose()))
    return found | {"objective": kept[0]}


def large_drmi(scratch: Path) -> Result:
    """Choose 600 of all by DRMI from 8 starts, without a matrix."""
    from copycost.similarity import OnDemand
    from copycost.subsets import lightest_subset

    similarity, rng = OnDemand(read(scratch, "mnist")).power(2.0), np.random.default_rng(0)
    kept: list[Any] = []
    found = timed(1, lambda: kept.append(lightest_subset(similarity, LARGE, starts=STARTS, rng=rng)))
    return found | {"objective": kept[0].weight}


def large_starts(scratch: Path) -> Result:
    """Choose 60 of 6,000 by DRMI from every start, on their matrix."""
    from copycost.similarity import Dense, mutual_information
    from copycost.subsets import lightest_subset

    similarity = Dense(mutual_information(read(scratch, "mnist")[:CLASS_SIZE])).power(2.0)
    lightest_subset(similarity, 5, starts=4, rng=np.random.default_rng(0))
    kept: list[Any] = []
    found = timed(1, lambda: kept.append(lightest_subset(similarity, LIGHTEST)))
    return found | {"objective": kept[0].weight}


def large_coverage(scratch: Path) -> Result:
    """Choose 600 of all to cover a sample of 4,096."""
    from copycost.similarity import OnDemand
    from copycost.subsets import coverage, normalised

    similarity, rng = normalised(OnDemand(read(scratch, "mnist"))), np.random.default_rng(0)
    kept: list[Any] = []
    found = timed(1, lambda: kept.append(coverage(similarity, LARGE, reference=4096, rng=rng)))
    return found | {"objective": kept[0].value, "estimate": kept[0].estimate}


def large_store(scratch: Path) -> Result:
    """Write the matrix of all pairs to a store on disk."""
    from copycost.similarity import Chunked

    images = read(scratch, "mnist")
    found = timed(1, lambda: Chunked.build(images, scratch / "store"))
    size = sum(file.stat().st_size for file in (scratch / "store").rglob("*") if file.is_file())
    return found | {"disk": size}
