"""SKUs, titles and GTINs in the shape in which they can be compared."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from functools import lru_cache

# words that shops put before or after a SKU to say where it is sold
AFFIXES = frozenset(
    {"tt", "tts", "tiktok", "tiktokshop", "shop", "web", "online", "new", "uk", "gb", "us", "usa", "eu", "de", "fr", "es", "it", "nl", "ie"}
)
# one spelling for each of the words that shops write in several ways
SAME_WORD = {
    "extrasmall": "xs", "small": "s", "medium": "m", "large": "l", "extralarge": "xl", "xlarge": "xl", "xxlarge": "xxl", "2xl": "xxl",
    "3xl": "xxxl", "gray": "grey", "color": "colour", "millilitre": "ml", "milliliter": "ml", "gram": "g", "tshirt": "tee",
}  # fmt: skip
EMPTY_WORDS = frozenset({"a", "an", "and", "the", "of", "for", "with", "in", "by", "to", "x", "default", "title"})
SHORTEST = 3  # characters that must be left of a SKU without its affixes
_LEADING_ZEROS = re.compile(r"(?<!\d)0+(?=\d)")
_WORD = re.compile(r"[a-z0-9]+")
_JOINED = (("t shirt", "tshirt"), ("extra large", "extralarge"), ("extra small", "extrasmall"), ("x large", "xlarge"))
_PACK = re.compile(r"(?:set of |pack of |\bx ?|× ?)(\d{1,2})\b|\b(\d{1,2}) ?(?:x\b|×|-?pack|pk\b|pcs\b|pieces?\b|er[- ]pack|er[- ]set)")
_PACK_WORDS = {"twin": 2, "duo": 2, "double": 2, "pair": 2, "trio": 3, "triple": 3, "quad": 4}
GTIN_LENGTHS = (8, 12, 13, 14)


def fold(text: str) -> str:
    """Lower case without accents."""
    if text.isascii():
        return text.lower()
    return "".join(letter for letter in unicodedata.normalize("NFKD", text.casefold()) if not unicodedata.combining(letter))


@lru_cache(maxsize=50_000)
def words(text: str) -> tuple[str, ...]:
    """The words that carry meaning, singular and in one spelling, in their order."""
    plain = fold(text).replace("-", " ").replace("'", "")
    for apart, together in _JOINED:
        plain = plain.replace(apart, together)
    found = (SAME_WORD.get(word, _singular(word)) for word in _WORD.findall(plain))
    return tuple(word for word in found if word not in EMPTY_WORDS)


def _singular(word: str) -> str:
    return word[:-1] if len(word) > 3 and word.endswith("s") and not word.endswith("ss") else word


def flat(sku: str) -> str:
    """The SKU without case and separators."""
    return "".join(tokens(sku))


def tokens(sku: str) -> tuple[str, ...]:
    """The parts of a SKU between its separators."""
    return tuple(_WORD.findall(fold(sku)))


def unpadded(sku: str) -> str:
    """The flat SKU without leading zeros of any of its numbers."""
    return "".join(_LEADING_ZEROS.sub("", token) if "0" in token else token for token in tokens(sku))


def bare(sku: str, own: Iterable[str] = ()) -> str:
    """The unpadded SKU without the words that shops put before or behind it; `own` names those of one source."""
    parts, known = list(tokens(sku)), AFFIXES.union(map(flat, own)) if own else AFFIXES
    while len(parts) > 1 and parts[0] in known and len("".join(parts[1:])) >= SHORTEST:
        del parts[0]
    while len(parts) > 1 and parts[-1] in known and len("".join(parts[:-1])) >= SHORTEST:
        del parts[-1]
    return "".join(_LEADING_ZEROS.sub("", token) if "0" in token else token for token in parts)


def gtin(text: str) -> str:
    """The GTIN in 14 digits, empty for what is none: wrong length or check digit (GS1 General Specifications, 7.9)."""
    digits = text.strip().replace(" ", "").replace("-", "")
    if not digits.isascii() or not digits.isdecimal() or len(digits) not in GTIN_LENGTHS or not int(digits):
        return ""
    whole = digits.rjust(14, "0")
    weighed = sum(int(digit) * (1 if place % 2 else 3) for place, digit in enumerate(whole))
    return whole if weighed % 10 == 0 else ""


def pack_size(*texts: str) -> int:
    """How many units a title or a SKU says there are; 1 when it says nothing."""
    for text in map(fold, texts):
        found = _PACK.search(text)
        number = int(next(filter(None, found.groups()))) if found else 0
        number = number or next((_PACK_WORDS[word] for word in _WORD.findall(text) if word in _PACK_WORDS), 0)
        if number > 1:
            return number
    return 1
