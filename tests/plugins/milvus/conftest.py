"""Vectors of a few media, an index in milvus-lite, and a milvus-lite server in the place of a Milvus."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from espalier.contract import Embeddings, Ids, IndexRequest
from espalier.plugins.checked import CheckedIndex
from espalier.plugins.registry import open_index
from espalier_milvus import library

DIM = 16
ENCODER = "0123456789abcdef"


def unit_rows(count: int, *, seed: int = 0, dim: int = DIM) -> Embeddings:
    rows = np.random.default_rng(seed).normal(size=(count, dim)).astype(np.float32)
    rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    return rows


def frame_ids(media: int, frames: int, *, stride: int = 1) -> Ids:
    """The frames of so many media, as the catalogue numbers them."""
    numbers = (np.arange(1, media + 1, dtype=np.int64) << 24)[:, None]
    return (numbers + np.arange(0, frames * stride, stride)[None]).ravel()


@pytest.fixture
def request_here(tmp_path: Path) -> IndexRequest:
    return IndexRequest("project_1", DIM, ENCODER, tmp_path / "index")


@pytest.fixture
def index(request_here: IndexRequest) -> Iterator[CheckedIndex]:
    opened = open_index("milvus", request_here)
    yield opened
    opened.close()


@pytest.fixture
def server(tmp_path: Path) -> Iterator[str]:
    """Its URL."""
    running, database, port = start_server(tmp_path / "server")
    yield f"http://127.0.0.1:{port}"
    running.stop(grace=1).wait()
    database.close()


def start_server(directory: Path) -> tuple[Any, Any, int]:
    """Server, database, port: to be stopped and closed."""
    module = library.milvus_lite("adapter.grpc.server")
    running, database, port = module.start_server_in_thread(str(directory))
    return running, database, port
