"""The REST API for Python programs: `from espalier.client import Espalier`. It needs nothing of Espalier but itself."""

from .answers import Hit, Job, Project, Run, Scene, Version
from .espalier import Espalier
from .of_project import OfProject
from .problem import Problem

__all__ = ["Espalier", "Hit", "Job", "OfProject", "Problem", "Project", "Run", "Scene", "Version"]
