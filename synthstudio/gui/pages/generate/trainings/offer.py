"""What a project has for a training, and what the training would take. No widgets."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from synthstudio.domain.records import Role
from synthstudio.gui.forms import Choice
from synthstudio.project import Project


@dataclass(frozen=True, slots=True)
class Effort:
    """What a training would take, and what speaks against it, in words."""

    text: str
    warning: str = ""


@dataclass(frozen=True, slots=True)
class NextThing:
    """What a project lacks before this can be trained: in words, and where it is mended."""

    title: str
    text: str
    button: str
    target: str


@dataclass(frozen=True, slots=True)
class Offer:
    """What a project has for the form.

    Attributes:
        choices: Words of settings, by name.
        missing: What it lacks; None where a training can begin.
    """

    choices: Mapping[str, Sequence[Choice]]
    missing: NextThing | None = None


NOTHING = Offer({})
NO_IMAGES = NextThing("There are no images yet.", "Import some, and mark what is on them.", "Import images", "import")
NO_MARKS = NextThing(
    "Nothing is annotated yet.",
    "It learns from what is marked on images of the train split. Draw some boxes first.",
    "Go to Annotate",
    "annotations",
)


def learned_classes(project: Project) -> list[Choice]:
    """The classes that a network can learn, as choices."""
    return [(item.name, item.name) for item in project.classes.list() if item.role is not Role.ARTIFACT]


def missing_marks(project: Project) -> NextThing | None:
    """What keeps a project from training a network on its objects; None where it has some."""
    if not project.fovs.count():
        return NO_IMAGES
    return None if project.annotations.counts() else NO_MARKS
