"""What a coverage entry says, in one sentence for people."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def sentence(entry: Mapping[str, Any], *, multiple: bool, option: bool) -> str:
    """Of an entry of the table: "at 0.83, 71 % of the frames are labeled for you, 98 % of them right (95-99 %)".

    multiple: several options may hold per frame, so answers are counted; option: it is about one option alone.
    """
    target = percent(entry["target"])
    if not entry["reached"]:
        promise = entry["promise"]
        if promise is None:
            return f"{target} cannot be promised yet: too few answers"
        return f"{target} cannot be promised yet; the most that can is {percent(promise['precision'], down=True)}"
    at = f"at {entry['cutoff']:.2f}"
    measure = entry["cross"] or entry["test"]
    if measure is None or not measure["answers"]:
        return f"{at}, {_labeled(entry, multiple=multiple, option=option)}, too few to check that {target} are right"
    said = f"{at}, {_labeled(entry, multiple=multiple, option=option)}, {_right(measure, option=option)}"
    test = entry["test"]
    if test and test["answers"] and test["high"] < entry["target"]:
        said += f"; of the test frames only {_right(test, option=option)}"
    return said


def percent(share: float, *, down: bool = False) -> str:
    """71 %; a decimal where it would say 0 or 100 of what is neither; `down` never says more than there is."""
    whole = int(share * 100 + 1e-9) if down else round(share * 100)
    if (whole == 100 and share < 1) or (whole == 0 and share > 0):
        return f"{min(99.9, max(0.1, share * 100)):.1f} %"
    return f"{whole} %"


def _labeled(entry: Mapping[str, Any], *, multiple: bool, option: bool) -> str:
    if option:
        return f"{percent(entry['coverage'])} of its frames are found for you"
    if multiple:
        return f"{percent(entry['recall'])} of the labels are set for you"
    return f"{percent(entry['coverage'])} of the frames are labeled for you"


def _right(measure: Mapping[str, Any], *, option: bool) -> str:
    low, high = (percent(measure[name]).removesuffix(" %") for name in ("low", "high"))
    what = "what is labeled so is" if option else "them"
    return f"{percent(measure['precision'])} of {what} right ({low}-{high} %)"
