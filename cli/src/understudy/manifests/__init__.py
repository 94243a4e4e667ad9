"""Kubernetes objects out of YAML files, as the API server would have them, with file, line and column."""

from understudy.manifests.files import FileProblem, Position, files_in
from understudy.manifests.loading import Loaded, Manifest, load

__all__ = ["FileProblem", "Loaded", "Manifest", "Position", "files_in", "load"]
