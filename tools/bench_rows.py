"""The rows of the benchmark: each measures one program on one input, in a process of its own."""

from __future__ import annotations

import resource
from dataclasses import dataclass
from pathlib import Path

from bench_measures import (
    BASE,
    CENTRES,
    CLASS_SIZE,
    COVERED,
    FEW_CENTRES,
    FOOLED,
    FOOLED_BASE,
    IMAGES,
    LARGE,
    LIGHTEST,
    SHARED,
    STARTS,
    Measure,
    Result,
    apricot,
    covered,
    each_pair,
    foolbox_deepfool,
    histogram2d,
    large_coverage,
    large_drmi,
    large_starts,
    large_store,
    normalised,
    numpy_k_center,
    our_coverage,
    our_deepfool,
    our_k_center,
    our_lightest,
    ours,
    prepare,
    scikit_image,
    scikit_learn,
    solver,
    squared,
    weight,
)
from bench_methods import (
    AIMED,
    AIMED_WHOLE,
    NEURONS,
    TRACES,
    foolbox_pgd,
    our_hamming,
    our_pgd,
    product_hamming,
)

PAIRS = "Mutual information of pairs of digits"
COLOUR = "Mutual information of pairs of colour images"
COVERAGE = "Coverage"
WEIGHT = "Lightest subset"
DEEPFOOL = "DeepFool"
DEEPFOOL_BASE = "DeepFool on ActiveThief's base network"
TARGETED = "Targeted PGD"
DISTANCES = "Distances of activation traces"
CENTER = "k-center"
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
    DEEPFOOL_BASE: f"As above with {BASE}, which has 12 convolutions, and {FOOLED_BASE} digits.",
    TARGETED: f"The same LeNet-5 and {AIMED} digits, each aimed at the nine other classes, Linf, 40 steps, epsilon "
    "128/255, one thread. The objective is the share of examples that the network takes for the class wanted. The last "
    f"row: {9 * AIMED_WHOLE:,} examples on all cores.",
    DISTANCES: f"All pairs of {TRACES:,} traces of {NEURONS:,} neurons, random bits, one thread. The objective is the "
    "mean distance.",
    CENTER: f"{CENTRES:,} of 100,000 probability vectors of 10 classes, one thread; NumPy the first {FEW_CENTRES}. The "
    f"objective is the largest distance to the nearest of {FEW_CENTRES} centres.",
    ALL: "All threads. The row of all starts is on the first 6,000 images and a matrix that is at hand.",
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
    if key == "prepare":
        return prepare(scratch)
    try:
        found = ROWS[key].measure(scratch)
    except ImportError as error:
        return {"missing": f"{error.name} is not installed"}
    except FileNotFoundError:
        return {"missing": "the data set is not in the folder that COPYCOST_DATA names"}
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    return {**found, "memory": peak}


_ALL_PAIRS = [
    Row(group, name, "a pair", measure)
    for group, images in ((PAIRS, "digits"), (COLOUR, "colours"))
    for name, measure in (
        ("copycost", ours(images)),
        ("scikit-learn mutual_info_score", each_pair(images, scikit_learn)),
        ("scikit-image normalized_mutual_information", each_pair(images, scikit_image, normalised=True)),
        ("NumPy histogram2d", each_pair(images, histogram2d)),
    )
]
_LIST = [
    *_ALL_PAIRS,
    Row(COVERAGE, "copycost coverage", "", solver(normalised, our_coverage, covered, COVERED)),
    Row(
        COVERAGE,
        "apricot FacilityLocationSelection",
        "",
        solver(normalised, apricot("FacilityLocationSelection"), covered, COVERED),
    ),
    Row(
        WEIGHT,
        "copycost paper, one start",
        "",
        solver(squared, our_lightest("paper", 1), weight, LIGHTEST),
    ),
    Row(
        WEIGHT,
        "copycost paper, all starts",
        "",
        solver(squared, our_lightest("paper", None), weight, LIGHTEST),
    ),
    Row(WEIGHT, "copycost tabu", "", solver(squared, our_lightest("tabu", None), weight, LIGHTEST)),
    Row(
        WEIGHT,
        "apricot SumRedundancySelection",
        "",
        solver(squared, apricot("SumRedundancySelection"), weight, LIGHTEST),
    ),
    Row(DEEPFOOL, "copycost deepfool", "an image", our_deepfool("lenet5", FOOLED)),
    Row(DEEPFOOL, "foolbox L2DeepFoolAttack", "an image", foolbox_deepfool("lenet5", FOOLED)),
    Row(DEEPFOOL_BASE, "copycost deepfool", "an image", our_deepfool(BASE, FOOLED_BASE)),
    Row(DEEPFOOL_BASE, "foolbox L2DeepFoolAttack", "an image", foolbox_deepfool(BASE, FOOLED_BASE)),
    Row(TARGETED, "copycost pgd", "an example", our_pgd(AIMED, 1)),
    Row(TARGETED, "foolbox LinfPGD", "an example", foolbox_pgd(AIMED)),
    Row(TARGETED, f"copycost pgd, {9 * AIMED_WHOLE:,}", "", our_pgd(AIMED_WHOLE, 9 * AIMED_WHOLE), threads=0),
    Row(DISTANCES, "copycost Hamming", "", our_hamming),
    Row(DISTANCES, "NumPy, product of matrices", "", product_hamming),
    Row(CENTER, "copycost k_center", "a centre", our_k_center),
    Row(CENTER, "NumPy running minimum", "a centre", numpy_k_center),
    Row(ALL, f"drmi choosing {LARGE}, {STARTS} starts, on demand", "", large_drmi, threads=0, large=True),
    Row(ALL, f"drmi choosing {LIGHTEST} of {CLASS_SIZE:,}, all starts", "", large_starts, threads=0, large=True),
    Row(ALL, f"coverage choosing {LARGE}, of a sample of 4,096, on demand", "", large_coverage, threads=0, large=True),
    Row(ALL, "Chunked store of all pairs", "", large_store, threads=0, large=True),
]
ROWS: dict[str, Row] = {row.key: row for row in _LIST}
