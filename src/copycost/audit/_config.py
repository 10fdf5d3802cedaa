"""A file of settings: YAML that runs no code and names every key once."""

from __future__ import annotations

from collections.abc import Hashable
from pathlib import Path
from typing import Any

import yaml

from copycost.errors import InvalidInput

__all__ = ["read_config"]


class _Loader(yaml.SafeLoader):
    """Safe YAML in which a key given twice is an error, where YAML itself lets the last one win."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Any]:
        """Build a mapping of a node whose keys are all different."""
        keys = [key.value for key, _ in node.value if isinstance(key, yaml.ScalarNode)]
        twice = sorted({key for key in keys if keys.count(key) > 1})
        if twice:
            raise yaml.constructor.ConstructorError(None, None, f"{', '.join(twice)} is given twice", node.start_mark)
        return super().construct_mapping(node, deep)


def read_config(path: Path) -> dict[str, Any]:
    """Read a YAML file of settings.

    Raises
    ------
    InvalidInput
        If the file is missing or is not a YAML mapping of names, each given once.
    """
    try:
        values = yaml.load(path.read_text(encoding="utf-8"), Loader=_Loader)  # a SafeLoader: no tag runs code
    except OSError as error:
        raise InvalidInput(f"the configuration {path} cannot be read: {error.strerror}.") from None
    except (yaml.YAMLError, UnicodeDecodeError, ValueError, RecursionError, TypeError) as error:
        raise InvalidInput(f"the configuration {path} is not YAML: {error}") from None
    if not isinstance(values, dict) or not all(isinstance(key, str) for key in values):
        raise InvalidInput(
            f"the configuration {path} holds no mapping of names to values; write lines such as 'pool: mnist:train'."
        )
    return values
