"""Small image files in every format that is read, with the upright 8-bit RGB they stand for, and Pillow's resizes."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps

Pixels = NDArray[np.uint8]
WIDTH, HEIGHT = 45, 37  # odd on purpose: chroma planes and rows end in half blocks


def scene(channels: int, seed: int, width: int = WIDTH, height: int = HEIGHT) -> Pixels:
    """Slopes, an edge and a little noise: [height, width, channels], or [height, width] for one channel."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[0:height, 0:width]
    planes = [
        128 + 90 * np.sin((1 + k) * x / 9.0 + k) * np.cos(y / (7.0 + k)) + 12 * rng.standard_normal(x.shape)
        for k in range(channels)
    ]
    pixels = np.clip(np.stack(planes, -1), 0, 255)
    pixels[height // 4 : height // 2, width // 3 : width // 2] = np.arange(channels) * 60 + 20
    pixels = pixels.astype(np.uint8)
    return pixels[..., 0] if channels == 1 else pixels


@dataclass(frozen=True)
class Expected:
    """`tolerance`: greatest difference of a channel that is still right."""

    pixels: Pixels
    tolerance: int


def on_white(image: Image.Image) -> Pixels:
    """Ours lays what is transparent on white paper; the original drops the alpha channel."""
    rgba = np.asarray(image.convert("RGBA")).astype(np.float64)
    alpha = rgba[..., 3:] / 255
    return np.rint(rgba[..., :3] * alpha + 255 * (1 - alpha)).astype(np.uint8)


def write_pictures(folder: Path) -> dict[str, Expected]:
    """File name -> what it shows."""
    folder.mkdir(parents=True, exist_ok=True)
    rgb = Image.fromarray(scene(3, 1))
    grey = Image.fromarray(scene(1, 2))
    rgba = Image.fromarray(np.dstack([scene(3, 3), scene(1, 4)]))
    cmyk = Image.fromarray(scene(4, 5), "CMYK")
    found: dict[str, Expected] = {}

    def add(
        name: str,
        image: Image.Image,
        tolerance: int,
        reading: Callable[[Image.Image], Pixels] | None = None,
        **options: object,
    ) -> None:
        image.save(folder / name, **options)
        opened = Image.open(folder / name)
        upright = ImageOps.exif_transpose(opened)
        found[name] = Expected(reading(upright) if reading else np.asarray(upright.convert("RGB")), tolerance)

    add("420.jpg", rgb, 1, quality=88, subsampling="4:2:0")
    add("422.jpg", rgb, 1, quality=88, subsampling="4:2:2")
    add("444.jpg", rgb, 1, quality=92, subsampling="4:4:4")
    add("progressive.jpg", rgb, 1, quality=85, progressive=True)
    add("restart.jpg", rgb, 1, quality=85, restart_marker_rows=1)
    add("grey.jpg", grey, 1, quality=90)
    add("cmyk.jpg", cmyk, 2, quality=95)
    for orientation in range(1, 9):
        exif = Image.Exif()
        exif[0x0112] = orientation
        add(f"orientation{orientation}.jpg", rgb, 1, quality=90, subsampling="4:4:4", exif=exif)

    add("rgb.png", rgb, 0, optimize=True)
    add("grey.png", grey, 0)
    add("rgba.png", rgba, 1, on_white)
    add("grey_alpha.png", rgba.convert("LA"), 1, on_white)
    add("palette.png", rgb.quantize(32), 0)
    keyed = rgb.quantize(16)
    add("palette_transparent.png", keyed, 1, on_white, transparency=bytes(range(0, 256, 16)))
    add("one_bit.png", grey.convert("1"), 0)
    add("interlaced.png", rgb, 0)
    write_png(folder / "interlaced.png", np.asarray(rgb), interlaced=True)
    found["interlaced.png"] = Expected(np.asarray(Image.open(folder / "interlaced.png").convert("RGB")), 0)
    wide = scene(3, 6).astype(np.uint16) * 256 + scene(3, 7)
    write_png(folder / "rgb16.png", wide)
    found["rgb16.png"] = Expected(np.rint(wide / 257.0).astype(np.uint8), 1)
    write_png(folder / "grey16.png", wide[..., 0])
    found["grey16.png"] = Expected(np.repeat(np.rint(wide[..., :1] / 257.0).astype(np.uint8), 3, axis=2), 1)

    add("rgb.bmp", rgb, 0)
    add("grey.bmp", grey, 0)
    add("palette.bmp", rgb.quantize(16), 0)
    add("uncompressed.tiff", rgb, 0)
    add("lzw.tiff", rgb, 0, compression="tiff_lzw")
    add("deflate.tiff", rgb, 0, compression="tiff_adobe_deflate")
    add("packbits.tif", grey, 0, compression="packbits")
    add("fax4.tiff", grey.convert("1"), 0, compression="group4")
    add("jpeg.tiff", rgb, 2, compression="jpeg", quality=92)
    add("rgba.tiff", rgba, 1, on_white)
    add("cmyk.tiff", cmyk, 1)
    add("orientation6.tiff", rgb, 0, tiffinfo={274: 6})
    add("two_pages.tiff", rgb, 0, save_all=True, append_images=[grey.convert("RGB")])
    add("lossy.webp", rgb, 1, quality=85, method=6)
    add("lossless.webp", rgb, 0, lossless=True, method=6)
    add("alpha.webp", rgba, 1, on_white, lossless=True, exact=True, method=6)
    return found


def write_png(path: Path, pixels: NDArray[np.uint8] | NDArray[np.uint16], interlaced: bool = False) -> None:
    """Written by hand, since Pillow saves neither 16-bit colour nor Adam7."""
    colour = 2 if pixels.ndim == 3 else 0
    depth = 8 * pixels.dtype.itemsize
    big = pixels.astype(pixels.dtype.newbyteorder(">"))
    passes = [(0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2)]
    parts = [big[y::dy, x::dx] for x, y, dx, dy in passes] if interlaced else [big]
    rows = b"".join(b"\0" + row.tobytes() for part in parts for row in part if row.size)

    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    header = struct.pack(">IIBBBBB", pixels.shape[1], pixels.shape[0], depth, colour, 0, 0, int(interlaced))
    path.write_bytes(
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(rows, 9)) + chunk(b"IEND", b"")
    )


@dataclass(frozen=True)
class ResizeSpec:
    name: str
    channels: int
    size: tuple[int, int]  # width and height of the source
    to: tuple[int, int]


RESIZES = (
    ResizeSpec("shrink_grey", 1, (191, 67), (64, 32)),
    ResizeSpec("shrink_rgb", 3, (97, 83), (31, 29)),
    ResizeSpec("enlarge_grey", 1, (33, 11), (128, 32)),
    ResizeSpec("enlarge_rgb", 3, (19, 23), (57, 64)),
    ResizeSpec("width_only", 1, (75, 32), (256, 32)),
    ResizeSpec("height_only", 1, (64, 90), (64, 32)),
    ResizeSpec("narrower_and_taller", 3, (120, 17), (40, 32)),
    ResizeSpec("same_size", 1, (40, 32), (40, 32)),
    ResizeSpec("from_one_pixel", 1, (1, 1), (16, 32)),
    ResizeSpec("to_one_pixel", 3, (50, 41), (1, 1)),
    ResizeSpec("extremes", 1, (61, 61), (128, 32)),
)


def resizes() -> dict[str, Pixels]:
    """NAME.source and NAME.expected; every other pixel of "extremes" is black or white, which tries the rounding."""
    found = {}
    for number, spec in enumerate(RESIZES):
        source = scene(spec.channels, 100 + number, *spec.size)
        if spec.name == "extremes":
            source = (255 * (np.indices(source.shape).sum(0) % 2)).astype(np.uint8)
        result = np.asarray(Image.fromarray(source).resize(spec.to, Image.Resampling.BILINEAR))
        found[f"{spec.name}.source"] = source
        found[f"{spec.name}.expected"] = np.ascontiguousarray(result)
    return found
