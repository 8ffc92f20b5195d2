"""The app as Django knows it."""

from __future__ import annotations

from django.apps import AppConfig

from .failing import say_once


class EspalierConfig(AppConfig):
    name = "espalier_labelstudio"
    verbose_name = "Espalier"

    def ready(self) -> None:
        try:
            from . import actions

            actions.register()
        except Exception as error:  # Label Studio must start  # noqa: BLE001
            say_once("the Data Manager's actions", error)
