"""The index over FAISS keeps the contract, whatever kind it is of."""

from __future__ import annotations

import pytest

from espalier.testing import check_index
from espalier_dynamic import FaissIndex
from espalier_dynamic.index_policy import IndexPolicy


class AlwaysSaved(FaissIndex):
    policy = IndexPolicy(merge_rows=0, merge_share=0)


@pytest.mark.parametrize("index", [FaissIndex, AlwaysSaved])
def test_it_keeps_the_contract(index: type[FaissIndex]) -> None:
    check_index(index)
