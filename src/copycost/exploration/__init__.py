"""What a data set looks like before anything is asked: class balance, samples, and its points in a plane."""

from copycost.exploration._explore import explore
from copycost.exploration._files import read_exploration, write_exploration
from copycost.exploration._result import Exploration, Plane

__all__ = ["Exploration", "Plane", "explore", "read_exploration", "write_exploration"]
