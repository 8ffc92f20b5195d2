"""The client: one object per server. What a worker does is waited for."""

from __future__ import annotations

from .answers import Json, Project, Run, made
from .connection import Connection
from .of_project import OfProject


class Espalier(Connection):
    """Espalier("http://localhost:9090", token="espalier_..."): a token of `espalier token add`, or user and password.

    Raises Problem, in the server's words, wherever something was not done. patience_s: how long what a worker does is
    waited for; then TimeoutError is raised, and the job goes on.
    """

    def me(self) -> Json:
        """name, role, version."""
        found: Json = self.ask("GET", "/me")
        return found

    def projects(self) -> list[Project]:
        return [made(Project, row) for row in self.pages("/projects")]

    def project(self, project: int | str) -> OfProject:
        """By its id in Label Studio, or its key. Nothing is asked before one of its methods is called."""
        return OfProject(self, str(project))

    def cancel_run(self, run: str) -> Run:
        return made(Run, self.ask("POST", f"/runs/{run}/cancel"))

    def undo(self, run: str) -> int:
        """Deletes exactly what the run wrote; how much that was."""
        return int(self.ask("POST", f"/runs/{run}/undo")["deleted"])
