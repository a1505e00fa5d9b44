"""Text normalisation: one form for every character, so that equal texts are equal bytes.

NFKC (https://unicode.org/reports/tr15/) folds width variants (`ﾈｺ` and `ネコ`, `ＡＢＣ` and `ABC`), but also turns x²
into x2 and ①② into 12; characters whose NFKC form changes the meaning are kept.
"""

from __future__ import annotations

import re
import unicodedata
from functools import cache

_LINE_ENDS = re.compile(r"\r\n?|[\x0b\x0c\x85\u2028\u2029]")
_INVISIBLE = re.compile(
    r"[\x00-\x08\x0e-\x1f\x7f-\x84\x86-\x9f\u00ad\u200b\u200e\u200f\u202a-\u202e\u2060\u2066-\u2069\ufeff\ufff9-\ufffb]"
)
"Control, direction and zero-width marks. Joiners (U+200D) and variation selectors stay: emoji need them."
_SURROGATE = re.compile(r"[\ud800-\udfff]")
_KEPT_FORMS = ("<super>", "<sub>", "<fraction>", "<circle>")


@cache
def _keeps_its_form(character: str) -> bool:
    """Whether NFKC would change the meaning: x² to x2, 1½ to 11⁄2, ①② to 12, a lone ´ to two characters."""
    if character in "…‥":
        return True
    folded = unicodedata.normalize("NFKC", character)
    return unicodedata.decomposition(character).startswith(_KEPT_FORMS) or (len(folded) > 1 and folded[0] == " ")


def _fold(text: str) -> str:
    """NFKC, except for the characters that would change their meaning."""
    kept = [character for character in set(text) if not character.isascii() and _keeps_its_form(character)]
    if not kept:
        return unicodedata.normalize("NFKC", text)
    parts = re.split(f"([{''.join(sorted(kept))}]+)", text)
    return "".join(part if i % 2 else unicodedata.normalize("NFKC", part) for i, part in enumerate(parts))


def normalise(text: str) -> str:
    """The stored and compared form: NFKC, `\\n` line ends, no invisible marks, no outer white space. Idempotent."""
    text = _INVISIBLE.sub("", _LINE_ENDS.sub("\n", text))
    if not text.isascii() and not unicodedata.is_normalized("NFKC", text):
        text = _fold(text)
    return text.strip()


def has_surrogates(text: str) -> bool:
    """Whether `text` has a lone surrogate, which UTF-8 cannot encode."""
    return _SURROGATE.search(text) is not None


def storable(text: str) -> str:
    """`text` with lone surrogates as escapes."""
    return text.encode("utf-8", "backslashreplace").decode()


def one_line(text: str, characters: int = 80) -> str:
    """The beginning of `text` on one line, for messages."""
    flat = " ".join(storable(text).split())
    return flat if len(flat) <= characters else flat[: characters - 1] + "…"
