"""What `espalier.testing.check_index` asks of an index, beside a brute force that is plain to read."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np

from ..contract import Embeddings, Ids, IndexClass, IndexRequest, Scores
from ..errors import BadIndex, BrokenPlugin
from .checked import CheckedIndex
from .rules import MEMBERS

# An index may keep what it holds in fewer bits, but what it says of a pair must still be its cosine.
SAME_COSINE = 0.01
# Rows that lie equally far may come in any order; so may those that float32 sums tell apart by chance.
SAME_PLACE = 1e-4
ROWS = 240


class IndexCheck:
    """One index under one request, and next to it a dictionary of all rows that it should hold."""

    def __init__(self, name: str, index: IndexClass, request: IndexRequest) -> None:
        self.name, self.index, self.request = name, index, request
        self.held: dict[int, Embeddings] = {}
        self.rng = np.random.default_rng(0)
        self.rows = clustered_rows(ROWS, request.dim, seed=1)
        # Two media, and frames that do not follow upon each other.
        self.ids = np.concatenate([(7 << 24) + 3 * np.arange(ROWS // 2), (9 << 24) + np.arange(ROWS // 2)])
        self.checked = self.open()

    def run(self) -> None:
        """The whole story; the index is dropped at its beginning and at its end."""
        try:
            self.empty()
            self.add_and_replace()
            self.remove()
            self.allowed()
            self.reopened()
            self.walk(30)
            self.saved()
            self.walk(20)
            self.other_encoder()
        finally:
            self.checked.close()
            self.index.drop(self.request)
        self.held.clear()
        self.checked = self.open()
        self.same("what was dropped is gone")
        self.checked.close()
        self.index.drop(self.request)
        self.index.drop(self.request)  # what is not there is dropped without a word

    def open(self, **changes: Any) -> CheckedIndex:
        opened = self.index.open(replace(self.request, **changes))
        missing = [name for name in MEMBERS["index"] if name not in ("open", "drop") and not hasattr(opened, name)]
        self.rule("an index has all its methods", not missing, f"none called {', '.join(missing)}")
        return CheckedIndex(self.name, opened, dim=self.request.dim)

    def rule(self, rule: str, holds: bool, value: object) -> None:
        if not holds:
            raise BrokenPlugin(self.name, rule, value)

    # The story

    def empty(self) -> None:
        self.same("an empty index finds nothing")
        self.checked.remove(self.ids[:3])
        self.checked.save()
        self.same("an empty index that was saved finds nothing")

    def add_and_replace(self) -> None:
        given, rows = self.ids[:150].copy(), self.rows[:150].copy()
        given.flags.writeable = rows.flags.writeable = False
        self.add(given, rows)
        self.same("what was added is found")
        self.add(self.ids[150:], self.rows[150:])
        self.same("what was added in a second call is found, too")
        # Half of them are known, and now lie elsewhere; the order is nobody's.
        some = self.rng.permutation(np.concatenate([self.ids[:20], self.ids[:20] + 1]))
        self.add(some, clustered_rows(len(some), self.request.dim, seed=2))
        self.same("a known id is replaced, a new one is added")

    def remove(self) -> None:
        gone = np.concatenate([self.ids[5:25], self.ids[-10:], [3, 2**40]])
        self.checked.remove(gone)
        for id in gone.tolist():
            self.held.pop(id, None)
        self.same("what was removed is not found, and unknown ids are no matter")
        self.add(self.ids[5:8], self.rows[5:8])
        self.same("what was removed can be added again")

    def allowed(self) -> None:
        held = np.array(sorted(self.held), np.int64)
        media = held[held >> 24 == 9]
        for words, allowed in {
            "none": held[:0],
            "one": held[17:18],
            "fewer than k": held[3:6],
            "one media": media,
            "every other": held[::2],
            "all": held,
            "some that are not there": np.concatenate([[0, 1], held[40:60], [2**41]]),
        }.items():
            self.same(f"only allowed ids are found ({words})", allowed)

    def reopened(self) -> None:
        """Everything is there again: after `close`, and after a sudden end, which is no `close` at all."""
        self.checked.close()
        self.checked = self.open()
        self.same("after close and open all is there")
        self.add(self.ids[30:40], self.rows[30:40][::-1])
        second = self.open()
        first, self.checked = self.checked, second
        self.same("what was added is seen by who opens it meanwhile, before save and close")
        second.close()
        first.close()
        self.checked = self.open()
        self.same("what was added is there without save")

    def saved(self) -> None:
        self.checked.save()
        self.same("save changes nothing")
        report = self.checked.report()
        self.rule("report counts the vectors", report.vectors == len(self.held), report)
        self.rule("report says the kind and the size", bool(report.kind) and report.size_bytes > 0, report)
        self.rule("a report of recall keeps what was asked", (report.recall or 1) >= self.request.recall, report)
        self.checked.close()
        self.checked = self.open()
        self.same("what was saved is there")

    def walk(self, steps: int) -> None:
        """Add, replace and remove at random, and compare on the way."""
        for step in range(steps):
            some = np.unique(self.rng.choice(self.ids, self.rng.integers(1, 30)))
            if step % 3:
                self.add(some, clustered_rows(len(some), self.request.dim, seed=100 + step))
            else:
                self.checked.remove(some)
                for id in some.tolist():
                    self.held.pop(id, None)
            if step % 5 == 0:
                self.same(f"after {step} steps at random")
                self.same(f"after {step} steps at random, with allowed", np.unique(self.rng.choice(self.ids, 60)))

    def other_encoder(self) -> None:
        self.checked.close()
        others: dict[str, dict[str, Any]] = {"encoder": {"encoder": "f" * 16}, "dim": {"dim": self.request.dim + 1}}
        for words, changes in others.items():
            self.refused(f"another {words} is refused with BadIndex", partial(self.open, **changes))
        self.checked = self.open()
        self.same("an open that was refused does no harm")

    def refused(self, rule: str, call: Callable[[], CheckedIndex]) -> None:
        try:
            opened = call()
        except BadIndex:
            return
        opened.close()
        self.rule(rule, False, "an open index")

    # The comparison

    def add(self, ids: Ids, rows: Embeddings) -> None:
        self.checked.add(ids, rows)
        self.held.update(zip(ids.tolist(), rows.copy(), strict=True))

    def same(self, words: str, allowed: Ids | None = None) -> None:
        """ids and search agree with the dictionary, for k of 1, 5, 20 and more than there are."""
        held = np.array(sorted(self.held), np.int64)
        self.rule(f"{words}: ids are all that it holds", np.array_equal(self.checked.ids(), held), self.checked.ids())
        if allowed is not None:
            held = held[np.isin(held, allowed)]
        rows = np.stack([self.held[id] for id in held.tolist()]) if len(held) else np.empty((0, self.request.dim))
        queries = np.concatenate([self.rows[::24], clustered_rows(6, self.request.dim, seed=3)])
        kept = queries.copy()
        cosines = (queries @ rows.T).astype(np.float32)
        for k in (1, 5, 20, len(self.ids) + 30):
            found, scores = self.checked.search(queries, k, allowed)
            self.rule(f"{words}: search leaves the queries as they are", np.array_equal(queries, kept), "other values")
            self._compare(words, found, scores, held, cosines, min(k, len(held)))

    def _compare(self, words: str, found: Ids, scores: Scores, held: Ids, cosines: Scores, count: int) -> None:
        """count: how many there are to be found."""
        filled = (found >= 0).sum(axis=1)
        self.rule(f"{words}: as many as there are, then id -1", bool((filled == count).all()), f"{filled} of {count}")
        if not count:
            return
        found, scores = found[:, :count], scores[:, :count]
        known = np.isin(found, held)
        self.rule(f"{words}: nothing else is found", bool(known.all()), found[~known][:5])
        twice = [row for row in found if len(set(row.tolist())) < count]
        self.rule(f"{words}: no id is found twice", not twice, twice[:1])
        exact = np.take_along_axis(cosines, np.searchsorted(held, found), axis=1)
        off = float(np.abs(exact - scores).max())
        self.rule(f"{words}: scores are cosines", off < SAME_COSINE, f"a difference of {off}")
        last = -np.sort(-cosines, axis=1)[:, count - 1 : count]
        recall = float((exact >= last - SAME_PLACE).mean())
        self.rule(f"{words}: the nearest are found", recall >= self.request.recall, f"recall {recall:.3f}")


def clustered_rows(count: int, dim: int, *, seed: int) -> Embeddings:
    """float32 (count, dim) of norm 1 around a dozen centres, as frames of a few scenes lie."""
    rng = np.random.default_rng(seed)
    centres = np.random.default_rng(0).normal(size=(12, dim))
    rows = centres[rng.integers(0, 12, count)] + rng.normal(scale=0.6, size=(count, dim))
    rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    return np.asarray(rows, np.float32)
