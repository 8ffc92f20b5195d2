"""The records: everything that Espalier keeps in SQL, behind one door."""

from __future__ import annotations

from .catalogue import Catalogue
from .database import open_engine
from .label_mappings import LabelMappings
from .reconcile import Reconciling
from .reviews import Reviews
from .revisits import Revisits
from .runs import Runs
from .tokens import Tokens
from .versions import Versions


class Records(Reconciling, Versions, Runs, LabelMappings, Revisits, Reviews, Catalogue, Tokens):
    """Safe for several threads and several processes. Nothing here knows jobs, models or the network."""

    @classmethod
    def open(cls, url: str) -> Records:
        """`url` as in `Settings.database`. Makes the tables or brings them up to date; raises BadSetting in words."""
        return cls(open_engine(url))
