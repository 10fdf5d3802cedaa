"""Neural classifiers: named architectures, initial weights from an explicit seed, bytes in and probabilities out."""

from copycost.networks._architectures import ARCHITECTURES, build, check_architecture
from copycost.networks._classifier import AnyClassifier, Classifier
from copycost.networks._files import load_weights, save_weights
from copycost.networks._random import seeded

__all__ = [
    "ARCHITECTURES",
    "AnyClassifier",
    "Classifier",
    "build",
    "check_architecture",
    "load_weights",
    "save_weights",
    "seeded",
]
