"""The classes of ImageNet by the names that people use for them.

A class has a WordNet id and a few names ("tabby, tabby cat"); timm brings them along. A person's word means the
classes of that very name, or of the group that the word stands for (`GROUPS`), or else those whose name ends in it:
"shoe" means the running shoe. Case, plural, space, `_` and `-` do not matter.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property

from espalier.errors import BadSetting, NoWeights
from espalier_ontology.synonyms import means

GROUPS: dict[str, tuple[range | int, ...]] = {
    "fish": (range(0, 7), range(389, 398)),
    "shark": (range(2, 5),),
    "bird": (range(7, 25), range(80, 101), range(127, 147)),
    "frog": (range(30, 33),),
    "turtle": (range(33, 38),),
    "lizard": (range(38, 49),),
    "snake": (range(52, 69),),
    "spider": (range(72, 78),),
    "duck": (97, 98),
    "crab": (range(118, 122),),
    "dog": (range(151, 269),),
    "wolf": (range(269, 272),),
    "fox": (range(277, 281),),
    "cat": (range(281, 286),),
    "bear": (range(294, 298),),
    "beetle": (range(300, 308),),
    "insect": (range(300, 327),),
    "butterfly": (range(321, 327),),
    "rabbit": (range(330, 333),),
    "pig": (range(341, 344),),
    "cattle": (range(345, 348),),
    "cow": (range(345, 348),),
    "sheep": (348, 349),
    "monkey": (range(370, 383),),
    "ape": (range(365, 370),),
    "primate": (range(365, 385),),
    "elephant": (385, 386),
    "airplane": (404, 895),
    "aircraft": (404, 405, 895),
    "ball": (429, 430, 522, 574, 722, 768, 805, 852, 890),
    "bicycle": (444, 671),
    "bike": (444, 671),
    "boat": (472, 554, 576, 625, 814, 914),
    "ship": (403, 510, 628, 724, 780, 871, 913),
    "bus": (654, 779, 874),
    "car": (436, 468, 511, 609, 627, 656, 661, 751, 817),
    "chair": (423, 559, 765),
    "clock": (409, 530, 892),
    "computer": (527, 590, 620, 681),
    "glasses": (836, 837),
    "hat": (439, 452, 515, 667, 793, 808),
    "mushroom": (*range(991, 997), 947),
    "motorcycle": (665, 670),
    "shoe": (502, 514, 630, 770, 774),
    "train": (466, 547, 705, 820),
    "truck": (555, 569, 675, 717, 864, 867),
}
"""By word, numbers of ImageNet-1k's classes that no name of theirs tells."""


@dataclass(frozen=True)
class ImageNet:
    """ids: WordNet's, by class. names: of each class, the usual one first."""

    ids: tuple[str, ...]
    names: tuple[tuple[str, ...], ...]

    @classmethod
    def of(cls, classes: int) -> ImageNet:
        """The classes of a network that tells so many apart. Raises BadSetting where they are not ImageNet's."""
        try:
            from timm.data import ImageNetInfo, infer_imagenet_subset
        except ImportError as error:
            raise NoWeights("timm is not installed: pip install 'label-studio-espalier[timm]'") from error
        subset = infer_imagenet_subset({"num_classes": classes})
        if subset is None:
            raise BadSetting(f"the network's {classes} classes have no names here: they are not ImageNet's")
        info = ImageNetInfo(subset)
        described = [info.index_to_description(number).split(",") for number in range(info.num_classes())]
        names = tuple(tuple(name.strip() for name in some) for some in described)
        return cls(tuple(info.index_to_label_name(number) for number in range(info.num_classes())), names)

    def exactly(self, word: str) -> tuple[int, ...]:
        """Classes of this very name, id, or group, ascending."""
        found = {number for number, id in enumerate(self.ids) if id == word.strip()}
        found.update(self._named.get(means(word), ()))
        found.update(self._grouped.get(means(word), ()))
        return tuple(sorted(found))

    def ending(self, word: str) -> tuple[int, ...]:
        """Classes one of whose names has the word as its last, ascending."""
        tail = f" {means(word)}"
        return tuple(sorted({n for name, numbers in self._named.items() if name.endswith(tail) for n in numbers}))

    def near(self, word: str) -> list[str]:
        return difflib.get_close_matches(means(word), [*self._named, *GROUPS], n=2, cutoff=0.7)

    @cached_property
    def _named(self) -> dict[str, list[int]]:
        named: dict[str, list[int]] = {}
        for number, names in enumerate(self.names):
            for name in dict.fromkeys(map(means, names)):
                named.setdefault(name, []).append(number)
        return named

    @cached_property
    def _grouped(self) -> dict[str, list[int]]:
        """GROUPS in the numbers of these classes."""
        ids = self.ids if len(self.ids) == 1000 else ImageNet.of(1000).ids
        at = {id: number for number, id in enumerate(self.ids)}
        grouped: dict[str, list[int]] = {}
        for word, parts in GROUPS.items():
            numbers = (number for part in parts for number in ([part] if isinstance(part, int) else part))
            grouped[means(word)] = [at[ids[number]] for number in numbers if ids[number] in at]
        return grouped


def assign(classes: ImageNet, options: Sequence[Iterable[str]]) -> list[tuple[int, ...]]:
    """The classes of each option, which is given by the words it may be known by.

    An option whose words name no class takes those that end in its words, but none that another option names.
    """
    words = [list(option) for option in options]
    exact = [sorted({number for word in some for number in classes.exactly(word)}) for some in words]
    taken = {number for some in exact for number in some}
    return [
        tuple(own) or tuple(sorted({number for word in some for number in classes.ending(word)} - taken))
        for own, some in zip(exact, words, strict=True)
    ]
