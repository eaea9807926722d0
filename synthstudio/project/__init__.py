"""The SQLite store and its files: the only SQL. `Project` is the one public door."""

from synthstudio.project.project import Project, ProjectLock

__all__ = ["Project", "ProjectLock"]
