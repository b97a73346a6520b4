"""Writes the test files that tests/golden has no maker for: python make.py (Pillow; heif-enc of libheif-examples).

four_corners.heic   red and green above, blue and white below; 64 x 48
ycck.jpg            the same, as printers' software writes JPEG: YCCK, inverted, with Adobe's mark
palette.tiff, rgb16.tiff, grey16.tiff    the same, in kinds of TIFF that tests/golden lacks; the last in grey
orientation6.png, orientation6.webp      the same turned to the left, with EXIF that says so
locked.pdf          the same colours on half a sheet of A4, RC4 of 128 bits, password "sheet"
"""

from __future__ import annotations

import hashlib
import io
import struct
import subprocess
import tempfile
from pathlib import Path

from PIL import Image, ImageChops

FOLDER = Path(__file__).resolve().parent
PADDING = bytes.fromhex("28BF4E5E4E758A4164004E56FFFA01082E2E00B6D0683E802F0CA9FE6453697A")


def four_corners() -> Image.Image:
    image = Image.new("RGB", (64, 48), "white")
    for place, colour in {(0, 0): "red", (32, 0): "lime", (0, 24): "blue"}.items():
        image.paste(colour, (*place, place[0] + 32, place[1] + 24))
    return image


def write_heic(path: Path, image: Image.Image) -> None:
    with tempfile.NamedTemporaryFile(suffix=".png") as source:
        image.save(source.name)
        subprocess.run(["heif-enc", "-q", "60", "-o", path, source.name], check=True, stdout=subprocess.DEVNULL)


def ycck(image: Image.Image) -> bytes:
    """Pillow writes CMYK only. Stored are the inverted inks, of which the first three are turned into YCC here; the
    mark's last byte, 0 for plain CMYK, then says so."""
    inks = ImageChops.invert(image).convert("YCbCr").split()
    planes = [ImageChops.invert(plane) for plane in inks]  # Pillow inverts what it stores
    file = io.BytesIO()
    Image.merge("CMYK", [*planes, Image.new("L", image.size, 0)]).save(file, "JPEG", quality=95)
    before, mark, after = file.getvalue().partition(b"Adobe")
    return before + mark + after[:6] + b"\2" + after[7:]


def rgb16_tiff(image: Image.Image) -> bytes:
    """One strip of 16 bits a channel, which Pillow does not write."""
    pixels = b"".join(struct.pack("<H", value * 257) for value in image.tobytes())
    entries = [(256, 4, 1, image.width), (257, 4, 1, image.height), (258, 3, 3, 8), (259, 3, 1, 1), (262, 3, 1, 2),
               (273, 4, 1, 14), (277, 3, 1, 3), (278, 4, 1, image.height), (279, 4, 1, len(pixels))]
    directory = struct.pack("<H", len(entries)) + b"".join(struct.pack("<HHII", *entry) for entry in entries) + bytes(4)
    return struct.pack("<2sHI3H", b"II", 42, 14 + len(pixels), 16, 16, 16) + pixels + directory


def rc4(key: bytes, data: bytes) -> bytes:
    state, j = list(range(256)), 0
    for i in range(256):
        j = (j + state[i] + key[i % len(key)]) % 256
        state[i], state[j] = state[j], state[i]
    i = j = 0
    out = bytearray()
    for byte in data:
        i = (i + 1) % 256
        j = (j + state[i]) % 256
        state[i], state[j] = state[j], state[i]
        out.append(byte ^ state[(state[i] + state[j]) % 256])
    return bytes(out)


def rc4_twenty_times(key: bytes, data: bytes) -> bytes:
    for step in range(20):
        data = rc4(bytes(byte ^ step for byte in key), data)
    return data


def locked_pdf(password: bytes) -> bytes:
    """The standard security handler, revision 3 (ISO 32000-1, 7.6.3)."""
    padded = (password + PADDING)[:32]
    identifier, permissions = bytes(range(16)), -4
    digest = hashlib.md5(padded).digest()
    for _ in range(50):
        digest = hashlib.md5(digest).digest()
    owner = rc4_twenty_times(digest, padded)
    key = hashlib.md5(padded + owner + permissions.to_bytes(4, "little", signed=True) + identifier).digest()
    for _ in range(50):
        key = hashlib.md5(key).digest()
    user = rc4_twenty_times(key, hashlib.md5(PADDING + identifier).digest()) + bytes(16)

    content = b"1 0 0 rg 0 210 298 211 re f 0 1 0 rg 298 210 297 211 re f 0 0 1 rg 0 0 298 210 re f"
    object_key = hashlib.md5(key + (4).to_bytes(3, "little") + bytes(2)).digest()
    content = rc4(object_key, content)
    objects = [
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 421] /Contents 4 0 R >>",
        b"<< /Length %d >>\nstream\n%s\nendstream" % (len(content), content),
        b"<< /Filter /Standard /V 2 /R 3 /Length 128 /P %d /O <%s> /U <%s> >>"
        % (permissions, owner.hex().encode(), user.hex().encode()),
    ]
    file, places = b"%PDF-1.4\n", []
    for number, body in enumerate(objects, 1):
        places.append(len(file))
        file += b"%d 0 obj\n%s\nendobj\n" % (number, body)
    table = b"".join(b"%010d 00000 n \n" % place for place in places)
    trailer = b"<< /Size 6 /Root 1 0 R /Encrypt 5 0 R /ID [<%s> <%s>] >>" % ((identifier.hex().encode(),) * 2)
    return file + b"xref\n0 6\n0000000000 65535 f \n%strailer\n%s\nstartxref\n%d\n%%%%EOF\n" % (table, trailer, len(file))


def write_pictures(folder: Path) -> None:
    image, exif = four_corners(), Image.Exif()
    exif[0x0112] = 6
    left = image.transpose(Image.Transpose.ROTATE_90)
    (folder / "ycck.jpg").write_bytes(ycck(image))
    (folder / "rgb16.tiff").write_bytes(rgb16_tiff(image))
    image.quantize(4).save(folder / "palette.tiff", compression="packbits")
    image.convert("L").convert("I").point(lambda value: value * 257).convert("I;16").save(folder / "grey16.tiff")
    left.save(folder / "orientation6.png", exif=exif)
    left.save(folder / "orientation6.webp", exif=exif, lossless=True)


if __name__ == "__main__":
    write_pictures(FOLDER)
    write_heic(FOLDER / "four_corners.heic", four_corners())
    (FOLDER / "locked.pdf").write_bytes(locked_pdf(b"sheet"))
