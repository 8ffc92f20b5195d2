"""What can be asked of the search worker: one table of kinds, each with its request and what answers it.

Nothing is imported for it, so that the web process can read it, too.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Kind:
    """module: of this package. request: a dataclass in it with `from_json`. answer: a function (house, project,
    request, progress) -> JSON object."""

    module: str
    request: str
    answer: str


KINDS: dict[str, Kind] = {
    "search": Kind("searching", "SearchRequest", "search"),
    "status": Kind("status", "StatusRequest", "status"),
    "pairs": Kind("pairs", "PairsRequest", "pairs"),
    "duplicates": Kind("duplicates", "DuplicatesRequest", "duplicates"),
    "clusters": Kind("clusters", "ClustersRequest", "clusters"),
    "map": Kind("projection", "MapRequest", "project_map"),
    "outliers": Kind("outliers", "OutliersRequest", "outliers"),
    "discover": Kind("discovery", "DiscoverRequest", "discover_classes"),
    "anomalies": Kind("anomalies", "AnomaliesRequest", "anomalies"),
    "thumbnails": Kind("thumbnails", "ThumbnailsRequest", "thumbnails"),
}
