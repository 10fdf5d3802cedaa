"""Kinds of target, one small file each."""

from copycost.oracle.targets._base import Target
from copycost.oracle.targets._function import FunctionTarget
from copycost.oracle.targets._labels import LabelTarget
from copycost.oracle.targets._network import NetworkTarget

__all__ = ["FunctionTarget", "LabelTarget", "NetworkTarget", "Target"]
