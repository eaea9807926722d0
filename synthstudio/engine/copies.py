"""Images of a generated set that come nearer to what the generator learned from than held-out real images do."""

from __future__ import annotations

from synthstudio.core.evaluation.nearest import Neighbours, find_neighbours, near_limits
from synthstudio.core.review.findings import Finding, FoundImage, found
from synthstudio.domain.errors import UserError
from synthstudio.domain.records import Split
from synthstudio.engine.beside_real import BesideReal
from synthstudio.engine.context import JobContext
from synthstudio.engine.features import Described


def find_copies(beside: BesideReal, context: JobContext) -> tuple[list[Finding], tuple[str, ...]]:
    """Find images that are nearly real ones; also return what a reader must know.

    Raises:
        UserError: What its generator learned from is gone, or there are no held-out images to judge by.
    """
    material, name = beside.material, beside.material.name
    if not len(material.learned):
        raise UserError("The images that its generator learned from are gone.")
    if beside.split is Split.TRAIN:
        raise UserError("There are no held-out images to judge by.")
    context.stage("Looking for copies")
    near, held_out = (_nearest(images, material.learned) for images in (material.synthetic, material.real))
    limits = near_limits(held_out)
    findings = []
    for row in limits.are_too_near(near).nonzero()[0]:
        made = material.synthetic.images[int(row)]
        is_picture = near.correlation[row] > limits.correlation
        real = material.learned.images[int((near.by_correlation if is_picture else near.by_distance)[row])]
        how = f"correlation {near.correlation[row]:.2f}" if is_picture else "by its features"
        findings.append(
            found(
                "too-near-to-real",
                f"{made.file} is nearer to a part of {real.fov_name} than held-out images come ({how}).",
                images=[
                    FoundImage(fov=made.number + 1, name=made.file, set=name),
                    FoundImage(fov=real.fov_id, name=real.fov_name),
                ],
                set_name=name,
            )
        )
    return findings, (f"{len(material.synthetic)} images of the set were searched for copies.",)


def _nearest(images: Described, learned: Described) -> Neighbours:
    return find_neighbours(
        images.features, images.pictures, among_features=learned.features, among_pictures=learned.pictures
    )
