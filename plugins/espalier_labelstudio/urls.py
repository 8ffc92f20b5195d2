"""Label Studio's addresses, and ours below /espalier/."""

from core.urls import *  # noqa: F403
from core.urls import urlpatterns as _theirs

from .failing import say_once

urlpatterns = list(_theirs)
try:
    from .addresses import OURS

    urlpatterns = [*OURS, *urlpatterns]
except Exception as error:  # noqa: BLE001
    say_once("everything below /espalier/", error)
