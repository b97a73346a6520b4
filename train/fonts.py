"""Typefaces: the pens that write into the boxes and the faces that print the form.

Pens are split once and for all: a held-out pen never appears in training.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from PIL import ImageFont

FONT_ROOTS = ("/usr/share/fonts", "/usr/share/texmf/fonts", "/usr/local/share/fonts", str(Path(__file__).resolve().parent.parent / ".deps/fonts"))

# File names without suffix. Related cuts of one hand stay on the same side.
DEBIAN_PENS = (
    "BecauseWeBuild-Regular", "BecauseWeConnect-Regular", "BecauseWeCreate-Regular", "BecauseWeLearn-Regular",
    "BecauseWeMentor-Regular", "ComicNeue-Regular", "ComicNeue-LightItalic", "AveriaSansGWF-LightItalic", "dkg",
    "dkgIt", "Humor-Sans", "Kristi", "setofont", "Delphine", "SteveHand", "YuseiMagic-Regular",
    "DancingScript-Regular", "KaushanScript-Regular", "TomsonTalks", "NanumBarunpenR", "NanumBrush",
    "Andika-Regular", "Andika-Italic", "RadisSans-medium", "summersby", "Havana-Regular", "Jura-Light",
    "OpenDyslexic-Italic", "NanumSquareRoundL", "Lato-LightItalic", "OpenSans-Light", "EBGaramond12-Italic",
)
# From npm, as @fontsource/NAME; train/fetch_pens.sh brings them.
WEB_PENS = (
    "amatic-sc", "annie-use-your-telescope", "architects-daughter", "bad-script", "balsamiq-sans", "calligraffitti",
    "caveat", "caveat-brush", "charm", "comfortaa", "comic-relief", "coming-soon", "courier-prime",
    "covered-by-your-grace", "crafty-girls", "cute-font", "dekko", "delius", "didact-gothic", "dosis",
    "east-sea-dokdo", "economica", "edu-nsw-act-foundation", "edu-qld-beginner", "edu-sa-beginner",
    "edu-tas-beginner", "edu-vic-wa-nt-beginner", "finger-paint", "fuzzy-bubbles", "gaegu", "gamja-flower",
    "give-you-glory", "gloria-hallelujah", "gochi-hand", "grape-nuts", "hachi-maru-pop", "handlee", "hi-melody",
    "inconsolata", "indie-flower", "itim", "just-another-hand", "just-me-again-down-here", "kalam", "kavivanar",
    "klee-one", "la-belle-aurore", "lancelot", "life-savers", "liu-jian-mao-cao", "long-cang",
    "love-ya-like-a-sister", "loved-by-the-king", "mali", "mansalva", "mclaren", "mynerve", "nanum-gothic-coding",
    "nerko-one", "neucha", "nothing-you-could-do", "nova-mono", "nova-slim", "over-the-rainbow", "pangolin",
    "patrick-hand", "permanent-marker", "playpen-sans", "playwrite-de-grund", "playwrite-us-modern", "pompiere",
    "poor-story", "quicksand", "redressed", "reenie-beanie", "rock-salt", "schoolbell", "sedgwick-ave",
    "shadows-into-light", "shadows-into-light-two", "shantell-sans", "short-stack", "single-day", "sniglet",
    "snippet", "special-elite", "square-peg", "sriracha", "stylish", "sue-ellen-francisco", "sunflower", "sunshiney",
    "swanky-and-moo-moo", "text-me-one", "the-girl-next-door", "tillana", "unkempt", "varela-round", "vibur",
    "waiting-for-the-sunrise", "walter-turncoat", "yomogi", "zen-kurenaido", "zeyada",
)
TRAINING_PENS = DEBIAN_PENS + WEB_PENS
HELDOUT_PENS = (
    "BecauseWeOrganize-Regular", "NanumPen", "Purisa", "Purisa-Oblique", "Rufscript010", "Breip", "breipfont",
    "UnPilgia", "Chilanka-Regular",
)

TRAINING_FACES = (
    ("DejaVuSans", "DejaVuSans-Bold"), ("LiberationSans-Regular", "LiberationSans-Bold"),
    ("LiberationSerif-Regular", "LiberationSerif-Bold"), ("OpenSans-Regular", "OpenSans-Bold"),
    ("texgyretermes-regular", "texgyretermes-bold"), ("texgyrebonum-regular", "texgyrebonum-bold"),
    ("EBGaramond12-Regular", "EBGaramond12-Bold"), ("texgyreschola-regular", "texgyreschola-bold"),
)
HELDOUT_FACES = (
    ("Carlito-Regular", "Carlito-Bold"), ("Lato-Regular", "Lato-Bold"), ("texgyrepagella-regular", "texgyrepagella-bold"),
)


@dataclass(frozen=True)
class Face:
    """A printed family: regular and bold."""

    regular: str
    bold: str


@lru_cache(maxsize=1)
def installed() -> dict[str, Path]:
    """Every font file on this machine by its name without suffix."""
    found: dict[str, Path] = {}
    for root in FONT_ROOTS:
        for folder, _, names in os.walk(root):
            for name in sorted(names):
                stem, suffix = os.path.splitext(name)
                if suffix.lower() in (".ttf", ".otf", ".woff"):
                    found.setdefault(stem, Path(folder) / name)
    return found


def font_path(name: str) -> Path:
    path = installed().get(name)
    if path is None:
        remedy = "run train/fetch_pens.sh" if name in WEB_PENS else "install the packages named in train/fonts.txt"
        raise FileNotFoundError(f"font {name} is not installed; {remedy}")
    return path


@lru_cache(maxsize=512)
def load(name: str, pixels: int) -> ImageFont.FreeTypeFont:
    return ImageFont.truetype(str(font_path(name)), max(4, pixels), layout_engine=ImageFont.Layout.BASIC)


@lru_cache(maxsize=128)
def capital_ratio(name: str) -> float:
    """Height of a digit as a share of the nominal font size; pens differ by a factor of two."""
    left, top, right, bottom = load(name, 200).getbbox("8")
    return max(0.2, (bottom - top) / 200)


def pens(split: str) -> tuple[str, ...]:
    return TRAINING_PENS if split == "train" else HELDOUT_PENS


def faces(split: str) -> tuple[Face, ...]:
    return tuple(Face(*pair) for pair in (TRAINING_FACES if split == "train" else HELDOUT_FACES))
