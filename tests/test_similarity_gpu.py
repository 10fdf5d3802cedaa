"""The GPU kernel: run through Triton's interpreter on small inputs, and on a GPU where there is one."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from copycost._types import ByteArray
from copycost.errors import InvalidInput
from copycost.similarity import mutual_information

torch = pytest.importorskip("torch", reason="torch is not installed (copycost[audit])")
triton = pytest.importorskip("triton", reason="Triton comes with torch on Linux alone")

INTERPRETED = """
import sys, numpy as np, torch
from copycost.similarity import _gpu
found = {}
with np.load(sys.argv[1]) as sets:
    for name in sets.files:
        _gpu._LONG = 4 if name == "long runs" else 512
        found[name] = _gpu.matrix(sets[name], torch.device("cpu"), lambda share: None)
np.savez(sys.argv[2], **found)
"""


def image_sets() -> dict[str, ByteArray]:
    rng = np.random.default_rng(0)
    sets = {
        "random": rng.integers(0, 256, (5, 40)),
        "ink on paper": np.where(rng.random((6, 90)) < 0.7, 9, rng.integers(0, 9, (6, 90))),
        "binary": rng.integers(0, 2, (3, 30)) * 255,
        "constant": np.repeat([[0], [7], [7]], 20, axis=1),
        "long runs": np.repeat([[0, 0, 3], [7, 7, 7], [8, 0, 8]], 5, axis=1),
        "one image": rng.integers(0, 4, (1, 30)),
        "a tile and one": rng.integers(0, 3, (65, 4)),
    }
    return {name: images.astype(np.uint8) for name, images in sets.items()}


def test_interpreted_kernels_agree_with_the_cpu_to_the_bit(tmp_path: Path) -> None:
    sets = image_sets()
    np.savez(tmp_path / "sets.npz", **sets)  # type: ignore[arg-type]
    arguments = [sys.executable, "-c", INTERPRETED, str(tmp_path / "sets.npz"), str(tmp_path / "found.npz")]
    subprocess.run(arguments, env={**os.environ, "TRITON_INTERPRET": "1"}, check=True)
    with np.load(tmp_path / "found.npz") as found:
        for name, images in sets.items():
            assert found[name].tobytes() == mutual_information(images).tobytes(), name


def test_the_kernels_compile_for_a_gpu_where_there_is_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TRITON_CACHE_DIR", str(tmp_path))
    from triton.backends.compiler import GPUTarget  # type: ignore[import-untyped]
    from triton.compiler import ASTSource  # type: ignore[import-untyped]

    from copycost.similarity import _gpu

    kinds = {"tiles": "*u8", "walk": "*i32", "runs": "*i32", "f": "*fp64", "d": "*fp64", "out": "*fp64"}
    kinds |= dict.fromkeys(["papers", "walk_start", "runs_start"], "*i64")
    kinds |= dict.fromkeys(["pixels", "m", "n", "background"], "i32")
    constants = {"lanes": 64, "long": 512}
    for kernel in (_gpu._add_ink, _gpu._add_paper):
        signature = {name: kinds.get(name, "constexpr") for name in kernel.arg_names}
        values = {(i,): constants[name] for i, name in enumerate(kernel.arg_names) if name in constants}
        source = ASTSource(fn=kernel, signature=signature, constexprs=values)
        compiled = triton.compile(source, target=GPUTarget("cuda", 90, 32), options=dict(_gpu._LAUNCH))
        assert ".entry" in compiled.asm["ptx"]


@pytest.mark.skipif(not torch.cuda.is_available(), reason="no GPU that torch can use")
def test_a_gpu_agrees_with_the_cpu_to_the_bit() -> None:
    rng = np.random.default_rng(1)
    images = np.where(rng.random((300, 3072)) < 0.4, 0, rng.integers(0, 60, (300, 3072))).astype(np.uint8)
    images[:9] = images[:9] > 0
    images[9:70] = 3
    assert mutual_information(images, device="cuda").tobytes() == mutual_information(images).tobytes()


@pytest.mark.skipif(not torch.cuda.is_available(), reason="no GPU that torch can use")
def test_a_cuda_tensor_is_worked_on_where_it_lies() -> None:
    images = image_sets()["ink on paper"]
    assert mutual_information(torch.tensor(images).cuda()).tobytes() == mutual_information(images).tobytes()


def test_a_tensor_gives_what_its_array_gives() -> None:
    images = image_sets()["ink on paper"]
    assert mutual_information(torch.tensor(images)).tobytes() == mutual_information(images).tobytes()


@pytest.mark.parametrize("device", ["cuda:99", "meta", "warp drive"])
def test_a_gpu_that_is_not_there_is_a_clear_error(device: str) -> None:
    with pytest.raises(InvalidInput, match="device is"):
        mutual_information(np.zeros((2, 4), np.uint8), device=device)


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU")
def test_without_a_gpu_cuda_is_a_clear_error() -> None:
    with pytest.raises(InvalidInput, match="0 CUDA devices"):
        mutual_information(np.zeros((2, 4), np.uint8), device="cuda")


def test_without_torch_the_error_names_the_extra() -> None:
    code = (
        "import sys, numpy as np; sys.modules['torch'] = None\n"
        "from copycost.errors import MissingExtra; from copycost.similarity import mutual_information\n"
        "try: mutual_information(np.zeros((2, 4), np.uint8), device='cuda')\n"
        "except MissingExtra as error: print(error)"
    )
    printed = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert "pip install 'copycost[audit]'" in printed
