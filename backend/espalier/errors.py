"""The errors that people see: one class per person who must act. Each is shown as one line, never as a traceback."""

from __future__ import annotations

from espalier_ontology.frames import Frames


class EspalierError(Exception):
    """The family. The message says what, where, which value, what was expected and what to do now."""


class BadSetting(EspalierError):
    """The operator mends the environment or `espalier.yaml`."""


class BadRequest(EspalierError):
    """The caller mends the request; answered as 400."""


class BadMedia(EspalierError):
    """This file cannot be read; the job goes on with the others.

    frames: those that are lost, where the rest could be read; empty where nothing could.
    """

    def __init__(self, message: str, frames: Frames | None = None) -> None:
        super().__init__(message)
        self.frames = frames or Frames()


class BrokenPlugin(EspalierError):
    """The plugin's author mends it; names plugin, rule and value."""

    def __init__(self, plugin: str, rule: str, value: object) -> None:
        super().__init__(f"plugin {plugin!r} broke the rule {rule!r}: got {value}")
        self.plugin, self.rule, self.value = plugin, rule, value


class NoWeights(EspalierError):
    """An encoder's weights cannot be had here; names the places that were tried."""


class NotTrained(EspalierError):
    """There is no model version yet, or too few answers for one; says what is still needed."""


class BadModel(EspalierError):
    """The files of a model version are missing, changed or of another format; train again, or put them back."""


class BadIndex(EspalierError):
    """A vector index cannot be read, or holds another encoder's embeddings; it is built anew from the embeddings."""


class LabelStudioRefused(EspalierError):
    """Label Studio answered no, with HTTP status `status` (token, permission, missing project); repeating is no use."""

    def __init__(self, message: str, *, status: int = 0) -> None:
        super().__init__(message)
        self.status = status


class LabelStudioDown(EspalierError):
    """Label Studio cannot be reached; the job is tried again later."""


class Cancelled(EspalierError):
    """A person cancelled the job; what was finished is kept."""
