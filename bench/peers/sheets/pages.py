"""The pages to measure with, of one sample: the PDF as it is, page 1 of it as a 200 dpi scan, and a small photo's JPEG of 100 dpi.

    python pages.py SAMPLE.pdf OUT
"""

import sys
from pathlib import Path

from pdf2image import convert_from_path
from PIL import Image

QUALITY = 85


def main() -> None:
    sample, out = Path(sys.argv[1]), Path(sys.argv[2])
    out.mkdir(parents=True, exist_ok=True)
    page = convert_from_path(sample, dpi=200)[0]
    page.save(out / "scan-200dpi.jpg", quality=QUALITY)
    page.resize((827, 1169), Image.Resampling.LANCZOS).save(out / "photo-100dpi.jpg", quality=QUALITY)


if __name__ == "__main__":
    main()
