"""How a page comes out of a scanner or a phone: geometry first, then light, then the sensor."""

from __future__ import annotations

import io
import math
import random
from functools import lru_cache

import numpy as np
from PIL import Image, ImageChops, ImageDraw, ImageFilter

LOOKS = ("clean", "scan", "photo")

Matrix = np.ndarray  # 3x3, page pixels to picture pixels


def degrade(page: Image.Image, rng: random.Random, look: str, *, whole: bool = True, size: tuple[int, int] | None = None) -> tuple[Image.Image, Matrix]:
    """A picture of `page` and the homography that took it there.

    With `whole` unset the image is a cut-out: nothing around the page shows and the geometry stays local.
    """
    size = size or page.size
    if look == "clean":
        picture, matrix = _scanner(page, rng, size, skew=rng.gauss(0, 0.25), whole=whole)
        picture = _tone(picture, rng, 0.03)
        picture = _noise(picture, rng, rng.uniform(0.5, 3.0))
        return picture, matrix
    if look == "scan":
        page = _fold(page, rng) if rng.random() < 0.3 else page
        picture, matrix = _scanner(page, rng, size, skew=max(-3.0, min(3.0, rng.gauss(0, 1.1))), whole=whole)
        picture = _tone(picture, rng, 0.08)
        if rng.random() < 0.35:
            picture = _light(picture, rng, 0.1, False)
        if rng.random() < 0.3:
            picture = picture.convert("L").convert("RGB")
        picture = _soften(picture, rng, rng.uniform(0, 0.9))
        picture = _noise(picture, rng, rng.uniform(1, 7))
        return _jpeg(picture, rng, 55, 92), matrix
    page = _fold(page, rng) if rng.random() < 0.4 else page
    picture, matrix = _phone(page, rng, size, whole)
    picture = _light(picture, rng, rng.uniform(0.12, 0.4), rng.random() < 0.5)
    picture = _white_balance(picture, rng)
    picture = _soften(picture, rng, rng.uniform(0.2, 1.2))
    if rng.random() < 0.3:
        picture = _shake(picture, rng)
    picture = _noise(picture, rng, rng.uniform(2, 10))
    return _jpeg(picture, rng, 50, 90), matrix


def carry(matrix: Matrix, box: tuple[float, float, float, float]) -> tuple[float, float, float, float]:
    """Bounding rectangle of a carried box."""
    left, top, right, bottom = box
    points = np.array([[left, top, 1], [right, top, 1], [right, bottom, 1], [left, bottom, 1]], dtype=np.float64) @ matrix.T
    points = points[:, :2] / points[:, 2:]
    low, high = points.min(axis=0), points.max(axis=0)
    return float(low[0]), float(low[1]), float(high[0]), float(high[1])


def homography(source: np.ndarray, target: np.ndarray) -> Matrix:
    """The projective map that takes four points to four others."""
    rows, right = [], []
    for (x, y), (u, v) in zip(source, target):
        rows += [[x, y, 1, 0, 0, 0, -u * x, -u * y], [0, 0, 0, x, y, 1, -v * x, -v * y]]
        right += [u, v]
    return np.append(np.linalg.solve(np.array(rows, dtype=np.float64), np.array(right, dtype=np.float64)), 1).reshape(3, 3)


def _warp(image: Image.Image, matrix: Matrix, size: tuple[int, int], fill: tuple[int, int, int]) -> Image.Image:
    back = np.linalg.inv(matrix)
    back = back / back[2, 2]
    return image.transform(size, Image.PERSPECTIVE, back.flatten()[:8].tolist(), Image.BILINEAR, fillcolor=fill)


def _corners(size: tuple[int, int]) -> np.ndarray:
    w, h = size
    return np.array([[0, 0], [w, 0], [w, h], [0, h]], dtype=np.float64)


def _scanner(page: Image.Image, rng: random.Random, size: tuple[int, int], *, skew: float, whole: bool) -> tuple[Image.Image, Matrix]:
    w, h = size
    stretch = w / page.width
    angle = math.radians(skew)
    shift = (rng.gauss(0, 0.006) * w, rng.gauss(0, 0.006) * h) if whole else (0.0, 0.0)
    target = (_corners(page.size) * stretch - (w / 2, h / 2)) @ np.array([[math.cos(angle), math.sin(angle)], [-math.sin(angle), math.cos(angle)]])
    matrix = homography(_corners(page.size), target + (w / 2 + shift[0], h / 2 + shift[1]))
    if not whole:
        return _warp(page, matrix, size, page.getpixel((0, 0))), matrix
    lid = rng.choice(((255, 255, 255), (250, 250, 250), page.getpixel((1, 1)), page.getpixel((1, 1)), (40, 40, 42)))
    return _warp(page, matrix, size, lid), matrix


def _phone(page: Image.Image, rng: random.Random, size: tuple[int, int], whole: bool) -> tuple[Image.Image, Matrix]:
    w, h = size
    spread = 0.035
    angle = math.radians(max(-6.0, min(6.0, rng.gauss(0, 1.8))))
    if not whole:
        # Seen through a small window, perspective is little more than a shear and a stretch.
        target = (_corners(page.size) - (page.width / 2, page.height / 2)) * (w / page.width)
        target = target @ np.array([[1, rng.gauss(0, 0.012)], [rng.gauss(0, 0.03), rng.uniform(0.93, 1.07)]])
        target = target @ np.array([[math.cos(angle), math.sin(angle)], [-math.sin(angle), math.cos(angle)]])
        matrix = homography(_corners(page.size), target + (w / 2, h / 2))
        return _warp(page, matrix, size, page.getpixel((0, 0))), matrix
    room = rng.uniform(0.84, 1.0)
    target = _corners((1, 1)) - 0.5
    target = target * room + np.array([[rng.uniform(-spread, spread) for _ in range(2)] for _ in range(4)])
    target = target * (w, h) @ np.array([[math.cos(angle), math.sin(angle)], [-math.sin(angle), math.cos(angle)]]) + (w / 2, h / 2)
    border = round(0.22 * page.width)
    desk = _desk(rng, (page.width + 2 * border, page.height + 2 * border))
    ImageDraw.Draw(desk).rectangle((border - 6, border + 8, border + page.width + 10, border + page.height + 12), fill=tuple(round(c * 0.55) for c in desk.getpixel((4, 4))))
    desk.paste(page, (border, border))
    matrix = homography(_corners(page.size), target)
    shift = np.array([[1, 0, -border], [0, 1, -border], [0, 0, 1]], dtype=np.float64)
    return _warp(desk, matrix @ shift, size, desk.getpixel((0, 0))), matrix


def _desk(rng: random.Random, size: tuple[int, int]) -> Image.Image:
    """Wood, cloth or a plain table top."""
    base = rng.choice(((92, 62, 40), (120, 86, 56), (60, 60, 64), (150, 148, 144), (196, 190, 180), (44, 52, 70), (80, 92, 84), (24, 22, 22)))
    noise = np.random.default_rng(rng.randrange(1 << 30))
    grain = noise.normal(0, 1, (rng.choice((6, 90)), 160)) if rng.random() < 0.6 else noise.normal(0, 1, (40, 40))
    tone = np.clip(np.array(base) + grain[..., None] * rng.uniform(3, 14), 0, 255).astype(np.uint8)
    return Image.fromarray(tone).resize(size, Image.BILINEAR)


def _fold(page: Image.Image, rng: random.Random) -> Image.Image:
    """A crease: one side a little darker, a bright line along it."""
    w, h = page.size
    small = Image.new("L", (64, 64), 255)
    pixels = np.full((64, 64), 1.0)
    for _ in range(rng.randint(1, 2)):
        angle = rng.choice((0.0, math.pi / 2)) + rng.gauss(0, 0.05)
        yy, xx = np.mgrid[0:64, 0:64] / 63
        distance = (xx - rng.uniform(0.25, 0.75)) * math.cos(angle) + (yy - rng.uniform(0.25, 0.75)) * math.sin(angle)
        pixels *= 1 - rng.uniform(0.04, 0.13) * np.exp(-np.maximum(distance, 0) * rng.uniform(6, 20)) * (distance > 0)
    small = Image.fromarray((pixels * 255).clip(0, 255).astype(np.uint8))
    return _multiply(page, small.resize((w, h), Image.BICUBIC))


def _multiply(image: Image.Image, light: Image.Image) -> Image.Image:
    return ImageChops.multiply(image, Image.merge("RGB", (light, light, light)))


def _light(image: Image.Image, rng: random.Random, depth: float, shadow: bool) -> Image.Image:
    """Uneven light, and perhaps the soft shadow of a hand or a phone."""
    yy, xx = np.mgrid[0:48, 0:48] / 47
    angle = rng.uniform(0, 2 * math.pi)
    slope = (xx - 0.5) * math.cos(angle) + (yy - 0.5) * math.sin(angle)
    field = 1 - depth * (slope + 0.6) / 1.3
    field -= depth * 0.5 * ((xx - rng.uniform(0.2, 0.8)) ** 2 + (yy - rng.uniform(0.2, 0.8)) ** 2)
    if shadow:
        angle = rng.uniform(0, 2 * math.pi)
        edge = (xx - rng.uniform(0.2, 0.8)) * math.cos(angle) + (yy - rng.uniform(0.2, 0.8)) * math.sin(angle)
        field *= 1 - rng.uniform(0.12, 0.4) / (1 + np.exp(-edge * rng.uniform(10, 60)))
    light = Image.fromarray((field * 255).clip(40, 255).astype(np.uint8)).resize(image.size, Image.BICUBIC)
    return _multiply(image, light)


def _tone(image: Image.Image, rng: random.Random, amount: float) -> Image.Image:
    gain, lift = 1 - abs(rng.gauss(0, amount)), abs(rng.gauss(0, amount)) * 120
    table = [min(255, max(0, round((v * gain * (255 - lift) / 255) + lift))) for v in range(256)]
    return image.point(table * 3)


def _white_balance(image: Image.Image, rng: random.Random) -> Image.Image:
    warm = rng.gauss(0, 0.06)
    gains = (1 + warm, 1 + rng.gauss(0, 0.015), 1 - warm)
    gamma = rng.uniform(0.8, 1.3)
    table: list[int] = []
    for gain in gains:
        table += [min(255, max(0, round(255 * (v / 255) ** gamma * gain))) for v in range(256)]
    return image.point(table)


def _soften(image: Image.Image, rng: random.Random, radius: float) -> Image.Image:
    return image.filter(ImageFilter.BoxBlur(radius)) if radius > 0.15 else image


def _shake(image: Image.Image, rng: random.Random) -> Image.Image:
    dx, dy = rng.choice(((1, 0), (0, 1), (1, 1), (2, 0), (2, 1), (-1, 1)))
    return Image.blend(image, ImageChops.offset(image, dx, dy), 0.5)


@lru_cache(maxsize=4)
def _grain(kind: int) -> Image.Image:
    noise = np.random.default_rng(kind).normal(0, 40, (700, 700))
    grain = Image.fromarray((noise + 128).clip(0, 255).astype(np.uint8))
    return grain.filter(ImageFilter.GaussianBlur(0.6)) if kind % 2 else grain


def _noise(image: Image.Image, rng: random.Random, sigma: float) -> Image.Image:
    tile = _grain(rng.randrange(4))
    factor = sigma / 40
    tile = tile.point([round(128 + (v - 128) * factor) for v in range(256)])
    w, h = image.size
    sheet = Image.new("L", (w, h))
    ox, oy = rng.randrange(600), rng.randrange(600)
    for y in range(-oy, h, 700):
        for x in range(-ox, w, 700):
            sheet.paste(tile, (x, y))
    return ImageChops.add(image, Image.merge("RGB", (sheet, sheet, sheet)), 1, -128)


def _jpeg(image: Image.Image, rng: random.Random, low: int, high: int) -> Image.Image:
    stream = io.BytesIO()
    image.save(stream, "JPEG", quality=rng.randint(low, high))
    stream.seek(0)
    return Image.open(stream).convert("RGB")
