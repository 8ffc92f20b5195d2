"""Work that threads bring at once is done together, in order, and one bad item spoils no other."""

from __future__ import annotations

import threading
from collections.abc import Sequence

import pytest

from espalier.web.gathered import Gathered


def test_one_alone_is_done_at_once() -> None:
    doubled: Gathered[int, int] = Gathered(lambda items: [2 * item for item in items])
    assert doubled.do(21) == 42


def test_what_comes_meanwhile_is_done_together_and_in_order() -> None:
    batches: list[list[int]] = []
    begun, go_on = threading.Event(), threading.Event()

    def work(items: Sequence[int]) -> list[int]:
        batches.append(list(items))
        begun.set()
        assert go_on.wait(10)
        return [10 * item for item in items]

    gathered = Gathered(work)
    results: dict[int, int] = {}

    def bring(item: int) -> None:
        results[item] = gathered.do(item)

    threads = [threading.Thread(target=bring, args=(item,)) for item in range(5)]
    threads[0].start()
    assert begun.wait(10)
    for thread in threads[1:]:
        before = len(gathered._batch.items)
        thread.start()
        while len(gathered._batch.items) == before:
            pass
    go_on.set()
    for thread in threads:
        thread.join(10)
    assert batches == [[0], [1, 2, 3, 4]]
    assert results == {item: 10 * item for item in range(5)}


def test_a_bad_item_spoils_no_other() -> None:
    tried: list[list[int]] = []

    def work(items: Sequence[int]) -> list[int]:
        tried.append(list(items))
        if 13 in items:
            raise ValueError("13")
        return list(items)

    gathered = Gathered(work)
    assert [isinstance(result, ValueError) or result for result in gathered._results([1, 13, 2])] == [1, True, 2]
    assert tried == [[1, 13, 2], [1], [13], [2]]
    with pytest.raises(ValueError, match="13"):
        gathered.do(13)
    assert gathered.do(7) == 7
