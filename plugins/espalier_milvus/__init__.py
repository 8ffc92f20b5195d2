"""An index that lies in Milvus: in milvus-lite within this process, or on a cluster. Imports pymilvus when opened."""

from .index import MilvusIndex

__all__ = ["MilvusIndex"]
