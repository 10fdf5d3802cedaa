"""One image file as pixels: what is kept of it, and what is said about the rest."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

import numpy as np

from copycost._types import AnyArray, ByteArray
from copycost.datasets._fetch import optional
from copycost.errors import InvalidInput

if TYPE_CHECKING:
    from PIL import Image

FORMATS = ("PNG", "JPEG", "BMP", "GIF", "WEBP", "TIFF")
_ORIENTATION = 0x0112
_TURNS = {
    2: "FLIP_LEFT_RIGHT",
    3: "ROTATE_180",
    4: "FLIP_TOP_BOTTOM",
    5: "TRANSPOSE",
    6: "ROTATE_270",
    7: "TRANSVERSE",
    8: "ROTATE_90",
}
_WITH_ALPHA = ("LA", "PA", "RGBA", "RGBa")


@dataclass(frozen=True)
class Picture:
    """Pixels, uint8 (height, width, 1 or 3), and what was done to get them, in words."""

    pixels: ByteArray
    notes: tuple[str, ...]


@contextmanager
def strict_pillow() -> Iterator[None]:
    """Make Pillow's warning of a decompression bomb an error, and keep its other warnings from the user."""
    bomb = optional("PIL.Image").DecompressionBombWarning
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        warnings.simplefilter("error", bomb)
        yield


def read_picture(source: Path | BinaryIO, formats: tuple[str, ...] = FORMATS) -> Picture:
    """Read one image file, whatever its name, inside `strict_pillow`.

    The first frame counts. EXIF orientation is applied. Grey stays grey, and so does a palette of greys; all else
    becomes red, green and blue. Transparent parts are shown over white. Of 16 bits a channel the high byte is kept.
    Colour profiles are not applied.

    Raises
    ------
    InvalidInput
        With the reason alone, if this is not an image of one of the formats, or is damaged, cut short,
        larger than Pillow's limit against decompression bombs, or of pixels without a known range.
    """
    pillow = optional("PIL.Image")
    try:
        with _opened(source) as file, pillow.open(file, formats=formats) as image:
            image.load()
            turned, turn = _upright(image)
            pixels, notes = _pixels(turned, image.format)
    except pillow.UnidentifiedImageError:
        raise InvalidInput(f"it is not an image of a kind that is read ({', '.join(formats)})") from None
    except InvalidInput:
        raise
    # Decoders raise almost anything on damaged files, and none of it may reach a user as a traceback.
    except Exception as error:
        reason = " ".join(str(error).split())[:200]
        raise InvalidInput(f"it cannot be decoded ({reason or type(error).__name__})") from error
    return Picture(pixels, (*turn, *notes))


def _opened(source: Path | BinaryIO) -> AbstractContextManager[BinaryIO]:
    return source.open("rb") if isinstance(source, Path) else nullcontext(source)


def _upright(image: Image.Image) -> tuple[Image.Image, tuple[str, ...]]:
    """Apply the EXIF orientation, as Pillow's exif_transpose does but without writing EXIF data back."""
    try:
        turn = _TURNS.get(image.getexif().get(_ORIENTATION, 1))
    except Exception:  # damaged EXIF data say nothing; the pixels are whole
        return image, ()
    if turn is None:
        return image, ()
    return image.transpose(optional("PIL.Image").Transpose[turn]), ("turned by EXIF",)


def _pixels(image: Image.Image, format: str | None) -> tuple[ByteArray, tuple[str, ...]]:
    """Return (height, width, channels) and what was done."""
    mode = image.mode
    if mode.startswith("I;16") or (mode == "I" and format == "PNG"):
        return _high_byte(np.asarray(image)), ("16 bits, high byte kept",)
    if mode in ("I", "F") or mode.startswith("I;"):
        raise InvalidInput("it has pixels of 32 bits, whose range is not known; save it with 8 or 16 bits a channel")
    grey = mode in ("1", "L", "LA") or (mode in ("P", "PA") and _is_grey_palette(image))
    if mode in _WITH_ALPHA or "transparency" in image.info:
        pixels, seen_through = _over_white(np.asarray(image.convert("RGBA")))
        notes = ("transparent parts shown over white",) if seen_through else ()
        return pixels[..., :1] if grey else pixels, notes
    converted = np.array(image.convert("L" if grey else "RGB"), dtype=np.uint8)
    notes = () if grey or mode in ("RGB", "P") else (f"converted from {mode}",)
    return (converted[..., np.newaxis] if grey else converted), notes


def _high_byte(values: AnyArray) -> ByteArray:
    if values.min() < 0 or values.max() > 0xFFFF:
        raise InvalidInput("it has values beyond 16 bits; save it with 8 or 16 bits a channel")
    return (values >> 8).astype(np.uint8)[..., np.newaxis]


def _is_grey_palette(image: Image.Image) -> bool:
    table = np.array(image.getpalette("RGB") or [], dtype=np.uint8).reshape(-1, 3)
    return bool((table == table[:, :1]).all())


def _over_white(pixels: AnyArray) -> tuple[ByteArray, bool]:
    """Return red, green and blue over white, rounded, and whether anything was not opaque."""
    colours, alpha = pixels[..., :3], pixels[..., 3:]
    if (alpha == 255).all():
        return np.array(colours), False
    alpha = alpha.astype(np.uint32)
    mixed = (2 * (colours * alpha + 255 * (255 - alpha)) + 255) // 510
    return mixed.astype(np.uint8), True
