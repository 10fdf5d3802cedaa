"""copycost alone, without its extras: installs, imports and works without torch."""

import subprocess
import sys
import venv
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
SCRIPT = """
import importlib.util, sys
import numpy as np
import copycost, copycost.similarity, copycost.subsets, copycost.measures
assert importlib.util.find_spec("torch") is None
images = np.random.default_rng(0).integers(0, 4, (12, 8, 8), dtype=np.uint8)
matrix = copycost.similarity.mutual_information(images)
subset = copycost.subsets.lightest_subset(copycost.similarity.Dense(matrix), 3)
print(sorted(subset.indices.tolist()))
"""


@pytest.fixture(scope="module")
def bare(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("bare")
    venv.create(folder / "venv", with_pip=True)
    python = folder / "venv" / "bin" / "python"
    command = [str(python), "-m", "pip", "install", "--quiet", "--constraint", str(ROOT / "constraints.txt"), str(ROOT)]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return python


def test_the_core_works_without_torch(bare: Path, tmp_path: Path) -> None:
    done = subprocess.run([str(bare), "-c", SCRIPT], capture_output=True, text=True, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert len(done.stdout.split(",")) == 3


def test_reduce_works_without_torch(bare: Path, tmp_path: Path) -> None:
    pool = "np.random.default_rng(0).integers(0, 256, (30, 8, 8), np.uint8)"
    code = f"import numpy as np; np.savez('pool.npz', images={pool})"
    subprocess.run([str(bare), "-c", code], cwd=tmp_path, check=True)
    command = [str(bare), "-m", "copycost", "reduce", "pool.npz", "--size", "5", "--out", "chosen.csv"]
    done = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "chosen.csv").exists()


def test_an_audit_without_its_extra_says_what_to_install(bare: Path, tmp_path: Path) -> None:
    done = subprocess.run([str(bare), "-m", "copycost", "audit"], capture_output=True, text=True, cwd=tmp_path)
    assert done.returncode == 2
    assert "pip install 'copycost[audit]'" in done.stderr
    assert "Traceback" not in done.stderr


def test_importing_the_numeric_rooms_does_not_import_torch() -> None:
    rooms = "copycost, copycost.similarity, copycost.subsets, copycost.measures, copycost.cli"
    code = f"import sys, {rooms}; print('torch' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.stdout.strip() == "False", done.stderr
