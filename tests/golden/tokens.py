#!/usr/bin/env python3
"""Texts and what Hugging Face's tokenizers makes of them: writes tokens/ beside this file.

python -m venv V && V/bin/pip install tokenizers==0.22.2 && V/bin/python tokens.py

`tokens/vocab.txt` is a vocabulary of our own: many single characters, so that a wrong one is seen in the ids, and pieces of
words. `tokens/cases.json` holds `normalised` (text, the four switches, what the package's BertNormalizer gives) and `encoded`
(text, case, limit, ids between [CLS] and [SEP], both included).
"""

from __future__ import annotations

import json
import random
from pathlib import Path

from tokenizers import AddedToken, Tokenizer, normalizers, pre_tokenizers, processors
from tokenizers.models import WordPiece

OUT = Path(__file__).resolve().parent / "tokens"
MARKS = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
WORDS = "the of graph neural network networks trans form er un aff able token is ation learn ing Graph Neural naive".split()


def vocabulary() -> list[str]:
    single = [chr(code) for code in (*range(0x21, 0x7F), *range(0xA1, 0x180), *range(0x391, 0x3CA), *range(0x410, 0x450),
                                     *range(0x1100, 0x1113), *range(0x1161, 0x1176), *range(0x4E00, 0x4E20), 0x3042, 0x1F600, 0x1F680)]
    pieces = [*MARKS, *single, *WORDS]
    return pieces + ["##" + piece for piece in single + WORDS]


def tokenizer(cased: bool) -> Tokenizer:
    made = Tokenizer(WordPiece({piece: place for place, piece in enumerate(vocabulary())}, unk_token="[UNK]", max_input_chars_per_word=100))
    made.normalizer = normalizers.BertNormalizer(lowercase=not cased)
    made.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    made.post_processor = processors.BertProcessing(("[SEP]", 3), ("[CLS]", 2))
    made.add_special_tokens([AddedToken(mark, normalized=False, special=True) for mark in MARKS])
    return made


TEXTS = [
    "", " ", "\t\n\r", "Graph neural networks", "Unaffable transformers, tokenised!", "naïve Café Ångström ﬁ Ǆ İstanbul ß ẞ Σίσυφος ΌΣΟΣ",
    "e\u0301 e\u0323\u0302 e\u0302\u0323 \u0301 a\u034f\u0301", "한국어 각 가", "中文 graph一丁丂 㐀𠀀 豈兀", "ｆｕｌｌ　ｗｉｄｔｈ１２", "a\u200bb\u00adc\u200dd\ufeffe\x00f\x7fg\x85h\u2028i",
    "😀🚀 👩‍👩‍👧 ❤️ 🇩🇪", "x" * 100, "x" * 101, "é" * 100, "e\u0301" * 101, "[CLS] [SEP]x[MASK] [sep] [PAD][UNK]",
    "a[SEP]b", "[[SEP]]", "α-Δ2≤3·π $x^2$ \\frac{1}{2} <b>“quoted”</b> §5 ¿qué? ; \u037e \u1fef \u00b7", "don't stop—now… 3.14 1,000",
    "\ud7a3\u1100\u1161\u11a8", "\u0f71\u0f72\u0f74 \u0344 \u212b \u2126 \u1e9b\u0323", "\u093f\u094d क्षि \u0e33 ไทย", "\u1d165\u1d16d \u302e\u1b44\u302f",
    "\U0001d400\U0001d7d8 \ufb1d\ufb4e", "\ufffd\ufffe\uffff\U0010ffff", "Ĳŉǰΐẖẗ", "the " * 600, "\u3042\u3099 \u304b\u3099", "ǅ ǈ ᾳ ᾼ Ⓐ Ａ Ꭰ ꭰ Ⴀ ⴀ 𐐀",
]


def junk(seed: int) -> str:
    source = random.Random(seed)
    planes = [(0x20, 0x7E), (0x80, 0x24F), (0x300, 0x36F), (0x370, 0x52F), (0x590, 0x10FF), (0x1100, 0x11FF), (0x1E00, 0x2BFF),
              (0x3000, 0x30FF), (0x4E00, 0x4EFF), (0xAC00, 0xACFF), (0xF900, 0xFFFD), (0x10000, 0x1FAFF), (0x20, 0x10FFFF)]
    chars = []
    for _ in range(120):
        code = source.randint(*source.choice(planes))
        chars.append(" " if 0xD800 <= code <= 0xDFFF else chr(code))
    return "".join(chars)


def main() -> None:
    OUT.mkdir(exist_ok=True)
    (OUT / "vocab.txt").write_text("".join(piece + "\n" for piece in vocabulary()))
    texts = TEXTS + [junk(seed) for seed in range(12)]
    normalised = []
    for text in texts:
        for bits in (0b1111, 0b1110, 0b1100, 0b0010, 0b0001, 0b0100):
            switches = [bool(bits & 8), bool(bits & 4), bool(bits & 2), bool(bits & 1)]
            plain = normalizers.BertNormalizer(clean_text=switches[0], handle_chinese_chars=switches[1], strip_accents=switches[2], lowercase=switches[3])
            normalised.append({"text": text, "switches": switches, "normalised": plain.normalize_str(text)})
    encoded = []
    for cased in (False, True):
        whole = tokenizer(cased)
        for text in texts:
            for limit in (512, 7):
                whole.enable_truncation(limit)
                encoded.append({"text": text, "cased": cased, "limit": limit, "ids": whole.encode(text).ids})
    cases = {"normalised": normalised, "encoded": encoded}
    (OUT / "cases.json").write_text(json.dumps(cases, separators=(",", ":")))


if __name__ == "__main__":
    main()
