"""The rows of the benchmark: each measures one program on one input, in a process of its own."""

from __future__ import annotations

import functools
import resource
import time
import warnings
from collections.abc import Callable
from dataclasses import dataclass
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
FOOLED = 256
LARGE, STARTS = 600, 8

PAIRS = "Mutual information of pairs of digits"
COLOUR = "Mutual information of pairs of colour images"
COVERAGE = "Coverage"
WEIGHT = "Lightest subset"
DEEPFOOL = "DeepFool"
ALL = "All 60,000 images of MNIST"

GROUPS = {
    PAIRS: f"28 x 28 pixels, 256 levels, one thread. copycost measures all pairs of {IMAGES:,} digits; the others the "
    f"{SHARED * (SHARED - 1) // 2} pairs of the first {SHARED} of them, on which all must agree to 1e-4 nats "
    "(scikit-image: of its own measure).",
    COLOUR: "32 x 32 x 3 values of CIFAR-10, 256 levels, one thread, as above.",
    COVERAGE: f"{COVERED} of {IMAGES:,} digits, one thread, on a normalised matrix that is at hand. The objective is "
    "the sum over all digits of the similarity to the nearest chosen, larger is better.",
    WEIGHT: f"{LIGHTEST} of {IMAGES:,} digits, one thread, on a matrix of MI squared that is at hand. The objective is "
    "the sum over all pairs chosen, smaller is better.",
    DEEPFOOL: f"The same LeNet-5 and {FOOLED} digits, L2, at most 50 steps, one thread. The objective is the mean "
    "distance of the images that were fooled.",
    ALL: "All threads.",
}


@dataclass(frozen=True)
class Row:
    """One row: what it measures, on how many threads (0 for all), and what one unit of its time is."""

    group: str
    name: str
    unit: str
    measure: Measure
    threads: int = 1
    large: bool = False

    @property
    def key(self) -> str:
        """What the record calls it."""
        return f"{self.group}: {self.name}"


def run(key: str, scratch: Path) -> Result:
    """Measure one row; a program that is not installed, or data that are not there, are named."""
    from copycost.audit._records import machine
    from copycost.errors import MissingData

    if key == "machine":
        return machine()
    try:
        found = ROWS[key].measure(scratch)
    except ImportError as error:
        return {"missing": f"{error.name} is not installed"}
    except MissingData:
        return {"missing": "the data set is not in the folder that COPYCOST_DATA names"}
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    return {**found, "memory": peak}


def timed(count: float, work: Callable[[], Any]) -> Result:
    """Return the seconds for ``count`` units of work: the least of three runs, or of fewer where they are long."""
    runs: list[float] = []
    while len(runs) < REPEATS and sum(runs) < ENOUGH:
        start = time.perf_counter()
        work()
        runs.append(time.perf_counter() - start)
    return {"count": count, "seconds": min(runs), "runs": len(runs)}


@functools.cache
def digits() -> Array:
    """Return digits of all classes, uint8 (2000, 28, 28), in a fixed random order."""
    from copycost.datasets import load

    whole = load("embedded").inputs.array[..., 0]
    return whole[np.random.default_rng(0).permutation(len(whole))[:IMAGES]]


@functools.cache
def colours() -> Array:
    """Return the first CIFAR-10 images, uint8 (2000, 32, 32, 3)."""
    from copycost.datasets import load

    return load(f"cifar10:train[:{IMAGES}]", download=False).inputs.array


def ours(images: Callable[[], Array]) -> Measure:
    """Measure all pairs of images."""

    def measure(scratch: Path) -> Result:
        from copycost.similarity import mutual_information

        array = images()
        mutual_information(array[:64])
        kept: list[Array] = []
        found = timed(len(array) * (len(array) + 1) / 2, lambda: kept.append(mutual_information(array)))
        return found | {"values": kept[0][:SHARED, :SHARED][np.triu_indices(SHARED, 1)].tolist()}

    return measure


def each_pair(
    images: Callable[[], Array], function: Callable[[], Callable[[Array, Array], float]], normalised: bool = False
) -> Measure:
    """Measure another program pair by pair, and check that it agrees with ours."""

    def measure(scratch: Path) -> Result:
        from copycost.similarity import mutual_information

        array, one = images()[:SHARED], function()
        rows, columns = np.triu_indices(SHARED, 1)
        one(array[0], array[1])
        kept: list[list[float]] = []
        found = timed(
            len(rows), lambda: kept.append([one(array[a], array[b]) for a, b in zip(rows, columns, strict=True)])
        )
        matrix = mutual_information(array).astype(np.float64)
        expected = matrix[rows, columns]
        if normalised:
            entropies = np.diagonal(matrix)
            total = entropies[rows] + entropies[columns]
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


def matrix(scratch: Path) -> Array:
    """Return the mutual information of the digits, computed by the first row that needs it."""
    from copycost.similarity import mutual_information

    path = scratch / "matrix.npy"
    if not path.exists():
        np.save(path, mutual_information(digits()))
    found: Array = np.load(path)
    return found


def normalised_matrix(scratch: Path) -> Array:
    """Return the matrix divided by the geometric mean of the entropies, float32."""
    whole = matrix(scratch)
    roots = np.sqrt(np.diagonal(whole))
    return (whole / np.outer(roots, roots)).astype(np.float32)


def solver(
    prepare: Callable[[Path], Array],
    solve: Callable[[Array, int], Array],
    value: Callable[[Array, Array], float],
    k: int,
) -> Measure:
    """Measure a solver on a matrix, after one call on a small one that compiles it."""

    def measure(scratch: Path) -> Result:
        whole = prepare(scratch)
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


@functools.cache
def network() -> Any:
    """Return a LeNet-5 trained for 500 updates on the digits, the same in every process."""
    from copycost.datasets import load
    from copycost.networks import Classifier, build
    from copycost.oracle import Answers
    from copycost.substitutes import Labelled, Schedule, fit

    data = load("embedded")
    assert data.labels is not None
    classifier = Classifier(build("lenet5", (28, 28, 1), 10, rng=np.random.default_rng(0)))
    answers = Labelled(data.inputs, Answers(data.labels))
    fit(classifier, answers, schedule=Schedule(length=500, batch=32), rng=np.random.default_rng(1))
    return classifier.network


def our_deepfool(scratch: Path) -> Result:
    """Measure our DeepFool."""
    import torch

    from copycost.adversarial import deepfool

    torch.set_num_threads(1)
    model, images = network(), torch.from_numpy(digits()[:FOOLED, np.newaxis] / np.float32(255))
    deepfool(model, images[:4])
    kept: list[Any] = []
    found = timed(FOOLED, lambda: kept.append(deepfool(model, images)))
    return found | {"objective": float(kept[0].distances[kept[0].fooled].mean())}


def foolbox_deepfool(scratch: Path) -> Result:
    """Measure foolbox's DeepFool with the same settings."""
    import torch

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import foolbox
    torch.set_num_threads(1)
    model, images = network(), torch.from_numpy(digits()[:FOOLED, np.newaxis] / np.float32(255))
    wrapped = foolbox.PyTorchModel(model, bounds=(0, 1), device="cpu")
    attack = foolbox.attacks.L2DeepFoolAttack(steps=50, candidates=10, overshoot=0.02)
    criterion = foolbox.criteria.Misclassification(model(images).argmax(1))
    few = foolbox.criteria.Misclassification(model(images[:4]).argmax(1))
    kept: list[Any] = []
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        attack(wrapped, images[:4], few, epsilons=None)
        found = timed(FOOLED, lambda: kept.append(attack(wrapped, images, criterion, epsilons=None)))
    raw, _, fooled = kept[0]
    return found | {"objective": float((raw - images).flatten(1).norm(dim=1)[fooled].mean())}


def mnist() -> Array:
    """Return all 60,000 training images of MNIST."""
    from copycost.datasets import load

    return load("mnist:train", download=False).inputs.array


def large_drmi(scratch: Path) -> Result:
    """Choose 600 of all by DRMI from 8 starts, without a matrix."""
    from copycost.similarity import OnDemand
    from copycost.subsets import lightest_subset

    similarity, rng = OnDemand(mnist()).power(2.0), np.random.default_rng(0)
    kept: list[Any] = []
    found = timed(1, lambda: kept.append(lightest_subset(similarity, LARGE, starts=STARTS, rng=rng)))
    return found | {"objective": kept[0].weight}


def large_coverage(scratch: Path) -> Result:
    """Choose 600 of all to cover a sample of 4,096."""
    from copycost.similarity import OnDemand
    from copycost.subsets import coverage, normalised

    similarity, rng = normalised(OnDemand(mnist())), np.random.default_rng(0)
    kept: list[Any] = []
    found = timed(1, lambda: kept.append(coverage(similarity, LARGE, reference=4096, rng=rng)))
    return found | {"objective": kept[0].value, "estimate": kept[0].estimate}


def large_store(scratch: Path) -> Result:
    """Write the matrix of all pairs to a store on disk."""
    from copycost.similarity import Chunked

    images = mnist()
    found = timed(1, lambda: Chunked.build(images, scratch / "store"))
    size = sum(file.stat().st_size for file in (scratch / "store").rglob("*") if file.is_file())
    return found | {"disk": size}


_ALL_PAIRS = [
    Row(group, name, "a pair", measure)
    for group, images in ((PAIRS, digits), (COLOUR, colours))
    for name, measure in (
        ("copycost", ours(images)),
        ("scikit-learn mutual_info_score", each_pair(images, scikit_learn)),
        ("scikit-image normalized_mutual_information", each_pair(images, scikit_image, normalised=True)),
        ("NumPy histogram2d", each_pair(images, histogram2d)),
    )
]
_LIST = [
    *_ALL_PAIRS,
    Row(COVERAGE, "copycost coverage", "", solver(normalised_matrix, our_coverage, covered, COVERED)),
    Row(
        COVERAGE,
        "apricot FacilityLocationSelection",
        "",
        solver(normalised_matrix, apricot("FacilityLocationSelection"), covered, COVERED),
    ),
    Row(
        WEIGHT,
        "copycost paper, one start",
        "",
        solver(lambda s: matrix(s) ** 2, our_lightest("paper", 1), weight, LIGHTEST),
    ),
    Row(
        WEIGHT,
        "copycost paper, all starts",
        "",
        solver(lambda s: matrix(s) ** 2, our_lightest("paper", None), weight, LIGHTEST),
    ),
    Row(WEIGHT, "copycost tabu", "", solver(lambda s: matrix(s) ** 2, our_lightest("tabu", None), weight, LIGHTEST)),
    Row(
        WEIGHT,
        "apricot SumRedundancySelection",
        "",
        solver(lambda s: matrix(s) ** 2, apricot("SumRedundancySelection"), weight, LIGHTEST),
    ),
    Row(DEEPFOOL, "copycost deepfool", "an image", our_deepfool),
    Row(DEEPFOOL, "foolbox L2DeepFoolAttack", "an image", foolbox_deepfool),
    Row(ALL, f"drmi choosing {LARGE}, {STARTS} starts, on demand", "", large_drmi, threads=0, large=True),
    Row(ALL, f"coverage choosing {LARGE}, of a sample of 4,096, on demand", "", large_coverage, threads=0, large=True),
    Row(ALL, "Chunked store of all pairs", "", large_store, threads=0, large=True),
]
ROWS: dict[str, Row] = {row.key: row for row in _LIST}
