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
    "amatic-sc", "andika-new-basic", "annie-use-your-telescope", "architects-daughter", "atma", "averia-libre",
    "averia-serif-libre", "bad-script", "baloo-2", "balsamiq-sans", "beth-ellen", "cagliostro", "calligraffitti",
    "capriola", "caveat", "caveat-brush", "cedarville-cursive", "charm", "chelsea-market", "cherry-bomb-one", "coiny",
    "comfortaa", "comic-relief", "coming-soon", "courier-prime", "covered-by-your-grace", "crafty-girls", "cute-font",
    "damion", "darumadrop-one", "dawning-of-a-new-day", "dekko", "delicious-handrawn", "delius", "didact-gothic",
    "do-hyeon", "dongle", "dosis", "east-sea-dokdo", "economica", "edu-au-vic-wa-nt-hand", "edu-nsw-act-foundation",
    "edu-qld-beginner", "edu-sa-beginner", "edu-tas-beginner", "edu-vic-wa-nt-beginner", "engagement", "finger-paint",
    "fredoka", "fresca", "fuzzy-bubbles", "gabriela", "gaegu", "galindo", "gamja-flower", "give-you-glory",
    "gloria-hallelujah", "gochi-hand", "grandstander", "grape-nuts", "hachi-maru-pop", "handlee", "happy-monkey",
    "hepta-slab", "hi-melody", "homemade-apple", "hubballi", "inconsolata", "indie-flower", "itim", "jua", "julee",
    "just-another-hand", "just-me-again-down-here", "kalam", "kavivanar", "kirang-haerang", "kiwi-maru", "klee-one",
    "kosugi-maru", "la-belle-aurore", "laila", "lancelot", "life-savers", "liu-jian-mao-cao", "londrina-solid",
    "long-cang", "love-ya-like-a-sister", "loved-by-the-king", "m-plus-rounded-1c", "ma-shan-zheng", "macondo",
    "mali", "mansalva", "marck-script", "margarine", "mclaren", "merienda", "mitr", "mouse-memoirs", "mynerve",
    "nanum-gothic-coding", "nerko-one", "neucha", "nothing-you-could-do", "nova-mono", "nova-slim", "nunito",
    "oregano", "over-the-rainbow", "overlock", "pangolin", "paprika", "patrick-hand", "permanent-marker",
    "playpen-sans", "playwrite-de-grund", "playwrite-es", "playwrite-in", "playwrite-it-moderna", "playwrite-nz",
    "playwrite-us-modern", "pompiere", "poor-story", "quicksand", "rancho", "redressed", "reenie-beanie", "ribeye",
    "rock-salt", "ruluko", "salsa", "sarina", "satisfy", "schoolbell", "sedgwick-ave", "shadows-into-light",
    "shadows-into-light-two", "shantell-sans", "short-stack", "single-day", "slabo-13px", "sniglet", "snippet",
    "sofia", "sour-gummy", "special-elite", "square-peg", "sriracha", "stylish", "sue-ellen-francisco", "sunflower",
    "sunshiney", "swanky-and-moo-moo", "text-me-one", "the-girl-next-door", "tillana", "unkempt", "varela-round",
    "vibur", "waiting-for-the-sunrise", "walter-turncoat", "wellfleet", "yaldevi", "yeon-sung", "yomogi",
    "zcool-kuaile", "zen-kurenaido", "zeyada", "zhi-mang-xing",
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
