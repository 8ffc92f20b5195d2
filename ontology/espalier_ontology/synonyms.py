"""Whether two names say the same: to the eye, or to the mind."""

from __future__ import annotations

import re
import unicodedata

_LOOKALIKES = str.maketrans(
    "аеорсухіјѕһԁԛԝвнкмтαοερνικυχτℓıо",
    "aeopcyxijshdqwbhkmtaoepvikuxtlio",
)
"""Letters of other alphabets that look like Latin ones, in lower case."""

_LITTLE = re.compile(r"(?<!\d)\s+|\s+(?!\d)|[_\-.,:;'\"]+(?!\d)")
"""Space and punctuation, but not what tells numbers apart, as in `-1` and `1.5`."""

_SAME_MEANING = (
    ("good", "ok", "okay", "fine", "pass", "passed", "acceptable", "no defect", "defect free"),
    ("bad", "defect", "defective", "faulty", "ng", "fail", "failed", "not ok", "not good", "nok", "broken"),
    ("yes", "true", "y", "present"),
    ("no", "false", "n", "absent"),
    ("none", "nothing", "empty", "null", "n/a", "na", "no object", "background"),
    (
        "unknown",
        "unsure",
        "not sure",
        "uncertain",
        "unclear",
        "other",
        "others",
        "misc",
        "miscellaneous",
        "cannot tell",
    ),
    ("picture", "image", "photo"),
    ("car", "automobile"),
    ("person", "human", "people"),
    ("big", "large"),
    ("small", "little"),
)
_MEANING = {word: group[0] for group in _SAME_MEANING for word in group}


def looks(name: str) -> str:
    """A key that names share which differ only in case, space, punctuation or look-alike letters."""
    plain = unicodedata.normalize("NFKC", name).casefold().translate(_LOOKALIKES)
    plain = "".join(one for one in unicodedata.normalize("NFD", plain) if unicodedata.category(one) not in ("Mn", "Cf"))
    return _LITTLE.sub("", plain) or name


def means(name: str) -> str:
    """A key that names share which are likely to mean the same, plural or singular."""
    words = re.sub(r"[\s_\-]+(?!\d)", " ", unicodedata.normalize("NFKC", name).casefold()).strip()
    if words in _MEANING:
        return _MEANING[words]
    for ending, singular in (("ies", "y"), ("sses", "ss"), ("shes", "sh"), ("ches", "ch"), ("xes", "x"), ("s", "")):
        if words.endswith(ending) and len(words) > len(ending) + 2 and not words.endswith(("ss", "us", "is")):
            words = words[: -len(ending)] + singular
            break
    return _MEANING.get(words, words)
