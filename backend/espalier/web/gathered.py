"""Work that many threads bring at once, done together: what one transaction costs, ten cost ten times."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from typing import Generic, TypeVar

Item = TypeVar("Item")
Result = TypeVar("Result")


class _Batch(Generic[Item, Result]):
    def __init__(self) -> None:
        self.items: list[Item] = []
        self.results: list[Result | BaseException] = []
        self.done = threading.Event()


class Gathered(Generic[Item, Result]):
    """`work` gets the items that came while the work before it was going on, in the order they came, and returns one
    result per item. Where it raises for several, each is tried alone, so that a bad one spoils no other."""

    def __init__(self, work: Callable[[Sequence[Item]], Sequence[Result]]) -> None:
        self._work = work
        self._joining = threading.Lock()
        self._working = threading.Lock()
        self._batch: _Batch[Item, Result] = _Batch()

    def do(self, item: Item) -> Result:
        """The item's result, or what its work raised, once it is done."""
        with self._joining:
            batch, place = self._batch, len(self._batch.items)
            batch.items.append(item)
        if place == 0:  # the first to come leads; the others wait for it
            self._lead(batch)
        else:
            batch.done.wait()
        result = batch.results[place]
        if isinstance(result, BaseException):
            raise result
        return result

    def _lead(self, batch: _Batch[Item, Result]) -> None:
        try:
            with self._working:
                with self._joining:
                    self._batch = _Batch()
                batch.results = self._results(batch.items)
        finally:
            batch.done.set()

    def _results(self, items: list[Item]) -> list[Result | BaseException]:
        try:
            return list(self._work(items))
        except Exception as error:  # noqa: BLE001  (it belongs to the threads that brought the items)
            if len(items) == 1:
                return [error]
        return [self._results([item])[0] for item in items]
