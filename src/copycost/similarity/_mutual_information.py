"""Mutual information between images, in nats (DRMI, Equation 1): the whole matrix, or one tile of it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from copycost._types import AnyArray, ByteArray, Float32Array
from copycost.errors import InvalidInput, MissingExtra
from copycost.similarity._levels import as_pixels
from copycost.similarity._pairs import between, within
from copycost.similarity._tiles import common_level, tile

__all__ = ["mutual_information", "mutual_information_block"]


def mutual_information(
    images: AnyArray | Sequence[AnyArray],
    *,
    levels: int | None = None,
    progress: Callable[[float], None] | None = None,
    device: str = "cpu",
) -> Float32Array:
    """Return the mutual information between all pairs of images, in nats.

    Parameters
    ----------
    images : array (n, ...), list of n arrays of one shape, or torch tensor (n, ...)
        Every value of every channel is a pixel; a CUDA tensor is worked on where it lies. uint8 has 256 levels,
        bool 2; other dtypes need ``levels``.
    levels : int, optional
        The number of equal-width bins over the array's own range, 1 to 256.
    progress : callable, optional
        Called with the share done, from 0 to 1, as the work goes on.
    device : str
        ``"cpu"``, or a GPU such as ``"cuda"``, which needs torch with Triton and gives the same values to the bit.

    Returns
    -------
    float32 array (n, n)
        Symmetric to the bit; the diagonal holds the entropies H(u); a constant image has 0 with everything.

    Raises
    ------
    InvalidInput
        If the images are empty, of different shapes, need ``levels`` and have none, or hold NaN; or if there is
        no such device.
    MissingExtra
        If a GPU is asked for and torch or Triton is not installed.

    Notes
    -----
    Equation 1 of "DRMI: A Dataset Reduction Technology based on Mutual Information for Black-box Attacks"
    (USENIX Security 2021). On the CPU it runs on `numba.get_num_threads` threads.

    Examples
    --------
    >>> pair = np.array([[0, 0, 9, 9], [5, 5, 7, 7], [1, 1, 1, 1]], dtype=np.uint8)
    >>> mutual_information(pair).round(4)[0].tolist()
    [0.6930999755859375, 0.6930999755859375, 0.0]
    """
    images, device = _of_tensor(images, device)
    pixels = as_pixels(images, levels)
    if device != "cpu":
        return _on_gpu(pixels, device, progress or _silent)
    return within(tile(pixels, common_level(pixels)), progress or _silent)


def mutual_information_block(a: AnyArray, b: AnyArray) -> Float32Array:
    """Return the mutual information between two blocks of images, in nats: a pure function of the two.

    Parameters
    ----------
    a, b : uint8 arrays (m, ...) and (n, ...)
        Images of one shape; bin other dtypes with `to_levels` over the whole set, so that blocks share bins.

    Returns
    -------
    float32 array (m, n)
        To the bit what `mutual_information` of all images holds at these rows and columns.

    Raises
    ------
    InvalidInput
        If a block is empty or not uint8, or the two differ in shape of image.
    """
    first, second = as_pixels(a), as_pixels(b)
    if first.shape[1] != second.shape[1]:
        raise InvalidInput(
            f"images of a have {first.shape[1]} pixels and images of b {second.shape[1]}; "
            "mutual information compares pixel with pixel, so resize one of the two."
        )
    background = common_level(first, second)
    return between(tile(first, background), tile(second, background))


def _of_tensor(images: Any, device: str) -> tuple[Any, str]:
    """Return a torch tensor as an array and the device it lies on; anything else as it is."""
    if not hasattr(images, "is_cuda"):
        return images, device
    return images.detach().cpu().numpy(), str(images.device) if images.is_cuda else device


def _on_gpu(pixels: ByteArray, device: str, progress: Callable[[float], None]) -> Float32Array:
    try:
        from copycost.similarity import _gpu
    except ImportError as error:
        raise MissingExtra(
            f"device is {device!r}, which needs torch with Triton ({error}); "
            "run: pip install 'copycost[audit]', or use device='cpu'."
        ) from error
    values: Float32Array = _gpu.matrix(pixels, _gpu.require_gpu(device), progress).cpu().numpy()
    return values


def _silent(_share: float) -> None:
    """Report nothing."""
