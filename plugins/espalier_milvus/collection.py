"""A project's collection: what it is called, what is in it, and whether it is the one that was asked for."""

from __future__ import annotations

import re
from typing import Any

from espalier.contract import IndexRequest
from espalier.errors import BadIndex, EspalierError

from . import library
from .kinds import FLAT, METRIC, Kind
from .service import BUILD_S, Service

ID, MEDIA, EMBEDDING = "id", "media", "embedding"


def open_collection(service: Service, request: IndexRequest) -> str:
    """Its name; made where it is not there yet, and loaded. Raises BadIndex for another encoder's, or another dim."""
    name = name_of(request)
    there = collections_of(service, request)
    others = [other for other in there if other != name]
    if others:
        raise BadIndex(
            f"the index {request.name} at {service.place} holds embeddings of another encoder "
            f"({others[0].rpartition('_')[2]}, not {request.encoder}); it is built anew from the embeddings"
        )
    if not there:
        _make(service, request, name)
    described = service.call("describing the collection", "describe_collection", name)
    dims = [field["params"].get("dim") for field in described["fields"] if field["name"] == EMBEDDING]
    if not dims or int(dims[0]) != request.dim:
        raise BadIndex(
            f"the index {request.name} at {service.place} holds vectors of {dims[0] if dims else 'no'} numbers, not "
            f"{request.dim}; it is built anew from the embeddings"
        )
    service.call("loading the collection", "load_collection", name, timeout=BUILD_S)
    return name


def drop_collections(service: Service, request: IndexRequest) -> None:
    """Whatever encoder they are of."""
    for name in collections_of(service, request):
        service.call("dropping the collection", "drop_collection", name)


def collections_of(service: Service, request: IndexRequest) -> list[str]:
    """Those of the request's name, of any encoder; at most one, if nobody else makes any."""
    pattern = re.compile(rf"espalier_{re.escape(request.name)}__[0-9a-f]+")
    names: list[str] = service.call("listing collections", "list_collections")
    return sorted(name for name in names if pattern.fullmatch(name))


def name_of(request: IndexRequest) -> str:
    """Letters, digits and underscores, as Milvus wants them; the digest is told apart by two underscores."""
    return f"espalier_{request.name}__{request.encoder.lower()}"


def index_parameters(kind: Kind) -> Any:
    made = library.pymilvus().MilvusClient.prepare_index_params()
    made.add_index(EMBEDDING, index_name=EMBEDDING, index_type=kind.name, metric_type=METRIC, params=kind.built_with)
    return made


def kind_of(service: Service, name: str) -> str:
    """Milvus's word for the index that is there."""
    return str(service.call("describing the index", "describe_index", name, EMBEDDING)["index_type"])


def _make(service: Service, request: IndexRequest, name: str) -> None:
    """Rows are spread over Milvus's partitions by their media, so that a condition on a few media reads only those."""
    milvus = library.pymilvus()
    schema = milvus.MilvusClient.create_schema(auto_id=False, enable_dynamic_field=False)
    schema.add_field(ID, milvus.DataType.INT64, is_primary=True)
    schema.add_field(MEDIA, milvus.DataType.INT64, is_partition_key=True)
    schema.add_field(EMBEDDING, milvus.DataType.FLOAT_VECTOR, dim=request.dim)
    try:
        service.call(
            "making the collection",
            "create_collection",
            name,
            schema=schema,
            index_params=index_parameters(FLAT),
            consistency_level="Strong",
        )
    except EspalierError:
        if name not in collections_of(service, request):
            raise  # else another process made it meanwhile
