"""Adversarial examples on any differentiable classifier: FGSM, PGD and DeepFool."""

from copycost.adversarial._bytes import round_to_bytes
from copycost.adversarial._classifier import Classifier, Progress
from copycost.adversarial._deepfool import DeepFoolResult, deepfool, robustness
from copycost.adversarial._gradient_sign import fgsm, pgd

__all__ = [
    "Classifier",
    "DeepFoolResult",
    "Progress",
    "deepfool",
    "fgsm",
    "pgd",
    "robustness",
    "round_to_bytes",
]
