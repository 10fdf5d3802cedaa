"""Neural classifiers: named architectures, initial weights from a seed, bytes or words in, probabilities out."""

from copycost.networks._architectures import ARCHITECTURES, architecture, build, check_architecture
from copycost.networks._classifier import AnyClassifier, Classifier
from copycost.networks._create import load_classifier, new_classifier, save_classifier
from copycost.networks._device import check_device, device_name, device_of, free_memory, on_device, use_device
from copycost.networks._files import load_weights, save_weights
from copycost.networks._random import seeded
from copycost.networks._text import TextClassifier
from copycost.networks._traces import activation_traces, pass_sizes, relu_layers, relu_sizes
from copycost.networks._vectors import Vectors, load_vectors

__all__ = [
    "ARCHITECTURES",
    "AnyClassifier",
    "Classifier",
    "TextClassifier",
    "Vectors",
    "activation_traces",
    "architecture",
    "build",
    "check_architecture",
    "check_device",
    "device_name",
    "device_of",
    "free_memory",
    "load_classifier",
    "load_vectors",
    "load_weights",
    "new_classifier",
    "on_device",
    "pass_sizes",
    "relu_layers",
    "relu_sizes",
    "save_classifier",
    "save_weights",
    "seeded",
    "use_device",
]
