"""What candidates write: register numbers and subject codes, and the words of the other fields."""

from __future__ import annotations

import random

DEPARTMENTS = (
    "CS", "IT", "EC", "EE", "ME", "CE", "MA", "PH", "CY", "GE", "HS", "AD", "AI", "BM", "BT", "CH", "MX", "IS", "EI",
    "AG", "FT", "CB", "MG", "OE", "AL", "CCS", "MAT", "CSE", "ECE", "PHY", "ENG", "BIO", "MBA", "MCA",
)
LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
DIGITS = "0123456789"
NAMES = (
    "Anbu K", "Divya R", "Karthik S", "Meena V", "Rahul P", "Priya N", "Suresh M", "Lakshmi T", "Arun J", "Nila B",
    "Farah A", "John D", "Kavin E", "Sara L", "Vimal G", "Deepa H",
)
SUBJECTS = (
    "Data Structures", "Engineering Physics", "Linear Algebra", "Digital Systems", "Thermodynamics", "Operating Systems",
    "Signals", "Machine Design", "Discrete Maths", "Networks", "Chemistry", "Compiler Design",
)
BRANCHES = ("B.E CSE", "B.Tech IT", "B.E ECE", "B.E Mech", "B.E Civil", "M.E CSE", "B.Tech AI", "B.E EEE")


def _digits(rng: random.Random, count: int) -> str:
    return "".join(rng.choice(DIGITS) for _ in range(count))


def register_number(rng: random.Random) -> str:
    length = rng.choices((12, 8, 9, 10, 11, 13), (64, 6, 6, 12, 6, 6))[0]
    if length == 12 and rng.random() < 0.5:
        # College, year of joining, branch, serial: the usual shape of a twelve-digit number.
        return f"{rng.randint(1, 9)}{_digits(rng, 3)}{rng.randint(18, 27)}{rng.choice((104, 105, 106, 114, 205, 243))}{_digits(rng, 3)}"
    return rng.choice("123456789") + _digits(rng, length - 1)


def subject_code(rng: random.Random) -> str:
    def letters(count: int) -> str:
        fitting = [name for name in DEPARTMENTS if len(name) == count]
        if fitting and rng.random() < 0.45:
            return rng.choice(fitting)
        return "".join(rng.choice(LETTERS) for _ in range(count))

    pattern = rng.choices(
        ("22L3", "L4", "LL3", "22LL3", "L22T", "Y2L3", "L3T"), (34, 34, 8, 7, 6, 5, 6))[0]
    year = f"{rng.randint(15, 26):02d}" if rng.random() < 0.7 else _digits(rng, 2)
    if pattern == "22L3":
        return year + letters(2) + _digits(rng, 3)
    if pattern == "L4":
        return letters(2) + _digits(rng, 4)
    if pattern == "LL3":
        return letters(3) + _digits(rng, rng.choice((3, 4)))
    if pattern == "22LL3":
        return year + letters(3) + _digits(rng, 3)
    if pattern == "L22T":
        return year + letters(3) + _digits(rng, 3) + rng.choice("TLPJ")
    if pattern == "Y2L3":
        return rng.choice("UPRKB") + year + letters(2) + _digits(rng, 3)
    return letters(2) + _digits(rng, 3) + rng.choice("TLPJABC")
