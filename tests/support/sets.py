"""A set in a project without an engine."""

from __future__ import annotations

from synthstudio.core.synthesis.composer import Composer
from synthstudio.core.synthesis.manifest import SetOrigin
from synthstudio.core.synthesis.sets import write_set
from synthstudio.domain.ids import SetName
from synthstudio.domain.records import Generator, SyntheticSet
from synthstudio.project import Project
from synthstudio.project.patches import build_project_bank
from synthstudio.settings.compose import ComposeSettings


def add_set(project: Project, settings: ComposeSettings) -> SyntheticSet:
    """Write the set that the settings name and record it."""
    bank = build_project_bank(project, settings.patches, with_plates=settings.composition.needs_plates)
    composer = Composer(bank, settings.composition, seed=settings.seed)
    state = project.training_state()
    folder = project.set_folder(settings.set_name)
    summary = write_set(folder, composer, settings.count, origin=SetOrigin(settings, state))
    written = SyntheticSet(
        SetName(settings.set_name),
        Generator.COMPOSITED,
        None,
        settings.count,
        summary.sha256,
        settings.model_dump_json(),
        state,
        "",
    )
    project.sets.put(written)
    return written
