"""Kinds of target, one small file each."""

from copycost.oracle.targets._base import Target
from copycost.oracle.targets._function import FunctionTarget
from copycost.oracle.targets._labels import LabelTarget
from copycost.oracle.targets._network import NetworkTarget
from copycost.oracle.targets._onnx import OnnxTarget
from copycost.oracle.targets._registry import FILES, FORMS, FileKind, file_kind, form_of, open_file
from copycost.oracle.targets._settings import OUTPUTS, SCALES, FileSettings
from copycost.oracle.targets._sklearn import SklearnTarget

__all__ = [
    "FILES",
    "FORMS",
    "OUTPUTS",
    "SCALES",
    "FileKind",
    "FileSettings",
    "FunctionTarget",
    "LabelTarget",
    "NetworkTarget",
    "OnnxTarget",
    "SklearnTarget",
    "Target",
    "file_kind",
    "form_of",
    "open_file",
]
