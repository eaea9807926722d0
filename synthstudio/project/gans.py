"""The trained GANs of a project."""

from __future__ import annotations

from synthstudio.core.training.gan_card import CARD_NAME, WEIGHTS_NAME
from synthstudio.domain.errors import UserError
from synthstudio.domain.ids import RunId
from synthstudio.domain.records import RunStatus
from synthstudio.project.project import Project


def find_gan(project: Project, run: str = "") -> RunId:
    """Return the id of a training of a GAN: the named one, or the newest finished one that has a generator.

    Raises:
        NotFound: There is no such run.
        UserError: None is named, and no GAN has been trained.
    """
    if run:
        return project.runs.find_named(run, kinds=("train-gan",)).id
    for each in reversed(project.runs.list(kind="train-gan")):
        folder = project.run_folder(each.id)
        if each.status is RunStatus.FINISHED and (folder / CARD_NAME).is_file() and (folder / WEIGHTS_NAME).is_file():
            return each.id
    raise UserError("No GAN has been trained in this project yet.", "Train one first: synthstudio train-gan PROJECT.")
