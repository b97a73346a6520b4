#!/usr/bin/env python3
"""What Hugging Face's tokenizers does with each character: writes src/text/character_tables.inc.

python -m venv V && V/bin/pip install tokenizers==0.22.2 && V/bin/python characters.py      (half a minute)

Every code point is put through the package's own normalisers and its BERT pre-tokenizer. Its tables are of several
versions of Unicode, none of them the newest, so no Unicode library gives the same classes.
"""

from __future__ import annotations

import unicodedata
from pathlib import Path

import tokenizers
from tokenizers import normalizers, pre_tokenizers

OUT = Path(__file__).resolve().parents[2] / "src/text/character_tables.inc"
CODE_POINTS = [code for code in range(0x110000) if not 0xD800 <= code <= 0xDFFF]

# Bits of a class; src/text/characters.h names them in the same order.
DROPPED, BLANK, IDEOGRAPH, MARK, PUNCTUATION = (1 << bit for bit in range(5))


def bert(**switches: bool) -> normalizers.BertNormalizer:
    return normalizers.BertNormalizer(**({"clean_text": False, "handle_chinese_chars": False, "strip_accents": False, "lowercase": False} | switches))


def class_of(code: int) -> int:
    char = chr(code)
    inside = f"a{char}b"
    bits = 0
    cleaned = CLEAN.normalize_str(inside)
    if cleaned == "ab":
        bits |= DROPPED
    if SPACED.normalize_str(char) != char:
        bits |= IDEOGRAPH
    if STRIPPED.normalize_str(inside) == "ab":
        bits |= MARK
    pieces = [piece for piece, _ in SPLIT.pre_tokenize_str(inside)]
    if len(pieces) == 3:
        bits |= PUNCTUATION
    if pieces == ["a", "b"]:
        bits |= BLANK
    # The normaliser makes a blank of what the pre-tokenizer splits at, unless it drops it.
    assert (cleaned == "a b") == (bits & (BLANK | DROPPED) == BLANK), hex(code)
    return bits


def order_of(char: str) -> int:
    """The combining class as the package has it: where canonical ordering puts the character among others."""
    if NFD.normalize_str(char) != char:  # decomposed before anything is put in order
        return 0
    if all(NFD.normalize_str(pair) == pair for pair in ("\u0334" + char, char + "\u0334", "\u0345" + char)):
        return 0
    # U+0334 has 1, U+0345 has 240; neither moves past one of its own class.
    below = [rank for rank, other in REPRESENTATIVES.items() if NFD.normalize_str(char + other) == char + other]
    above = [rank for rank, other in REPRESENTATIVES.items() if NFD.normalize_str(other + char) == other + char]
    (rank,) = set(below) & set(above)
    return rank


CLEAN, SPACED, STRIPPED, LOWER = bert(clean_text=True), bert(handle_chinese_chars=True), bert(strip_accents=True), bert(lowercase=True)
SPLIT, NFD = pre_tokenizers.BertPreTokenizer(), normalizers.NFD()
# One character of each combining class that the package knows: it moves before U+0345, or is of the same class.
REPRESENTATIVES: dict[int, str] = {240: "\u0345"}
for code in CODE_POINTS:
    if NFD.normalize_str("\u0345" + chr(code)) == chr(code) + "\u0345":
        REPRESENTATIVES.setdefault(unicodedata.combining(chr(code)), chr(code))


def ranges(values: list[int]) -> list[tuple[int, int]]:
    """Where the value changes: (first code point, value until the next entry)."""
    found: list[tuple[int, int]] = []
    for code, value in zip(CODE_POINTS, values, strict=True):
        if not found or value != found[-1][1]:
            found.append((code, value))
    return found


def table(kind: str, name: str, rows: list[str]) -> str:
    lines, line = [], " "
    for row in rows:
        if len(line) + len(row) + 2 > 110:
            lines.append(line)
            line = " "
        line += f" {row},"
    return f"constexpr {kind} {name}[] = {{\n" + "\n".join([*lines, line]) + "\n};\n"


def mappings(name: str, changed: dict[int, str]) -> str:
    assert all(len(to) <= 4 for to in changed.values())
    rows = [f"{{0x{code:X}, {{{', '.join(f'0x{ord(char):X}' for char in to)}}}}}" for code, to in sorted(changed.items())]
    return table("Mapping", name, rows)


def main() -> None:
    classes = ranges([class_of(code) for code in CODE_POINTS])
    orders = ranges([order_of(chr(code)) for code in CODE_POINTS])
    hangul = range(0xAC00, 0xD7A4)  # decomposed by arithmetic
    decomposed = {code: to for code in CODE_POINTS if code not in hangul and (to := NFD.normalize_str(chr(code))) != chr(code)}
    lower = {code: to for code in CODE_POINTS if (to := LOWER.normalize_str(chr(code))) != chr(code)}
    for code in hangul:
        assert NFD.normalize_str(chr(code)) == unicodedata.normalize("NFD", chr(code))
    OUT.write_text(
        f"// Made by tests/golden/characters.py from tokenizers {tokenizers.__version__}; never edited.\n\n"
        + "// From a code point on: class bits, as characters.h names them.\n"
        + table("Range", "kClasses", [f"{{0x{code:X}, {bits}}}" for code, bits in classes])
        + "\n// From a code point on: canonical combining class.\n"
        + table("Range", "kOrders", [f"{{0x{code:X}, {rank}}}" for code, rank in orders])
        + "\n// Canonical decomposition, but for Hangul syllables.\n"
        + mappings("kDecompositions", decomposed)
        + "\n// Lower case.\n"
        + mappings("kLowerCase", lower)
    )


if __name__ == "__main__":
    main()
