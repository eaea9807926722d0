"""Which pictures are like which? Features of all that has changed, and a map of all."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from synthstudio.core.evaluation.feature_map import NO_MAP, FeatureMaps, PictureMap, read_maps, write_maps
from synthstudio.core.evaluation.feature_store import FeatureStore
from synthstudio.core.evaluation.map_layout import MOST_LANDMARKS, lay_out
from synthstudio.core.evaluation.similar import FeatureRows, network_vectors
from synthstudio.core.imaging import ImageArray
from synthstudio.core.synthesis.streams import PICTURE_CHOICE, open_stream
from synthstudio.domain.errors import UserError
from synthstudio.domain.records import RunStatus
from synthstudio.engine.context import JobContext
from synthstudio.project.features import BUILT_IN, Describer, describe_and_keep, keep_store, outside_picture, read_store
from synthstudio.project.pictures import Picture, list_pictures
from synthstudio.protocol.results import EmbedResult
from synthstudio.settings.embed import EmbedSettings

MOST_KEPT = 400_000
"""Features of more pictures are not kept; those of the project as it is always are."""
MOST_TOLD = 20
"""Images that could not be read, in the notes."""


def run(settings: EmbedSettings, context: JobContext) -> EmbedResult:
    """Describe what is not described yet, and lay everything out.

    Raises:
        NotFound: There is no such set.
        UserError: There are no images, the feature file is none, or the features cannot be written.
    """
    return _Embedding(settings, context).run()


class _Embedding:
    """One execution of the job."""

    def __init__(self, settings: EmbedSettings, context: JobContext) -> None:
        self._settings = settings
        self._context = context
        self._project = context.project
        self._describer = _open_describer(settings, context)

    def run(self) -> EmbedResult:
        """Do the work."""
        began = time.monotonic()
        self._context.stage("Listing what there is")
        sets, images, objects = self._list()
        outside = [outside_picture(Path(each).expanduser()) for each in self._settings.files]
        if not images and not outside:
            raise UserError("The project has no images to describe.", "Import some first.")
        wanted = [*images, *objects, *outside]
        store = read_store(self._project, sha256=self._describer.sha256, name=self._describer.name)
        n_known = sum(each.key in store for each in wanted)
        self._context.stage(f"Describing {len(wanted) - n_known:,} of {len(wanted):,} pictures")
        failed = describe_and_keep(self._project, wanted, store, self._describer, tick=self._context.tick)
        if len(store) > MOST_KEPT:
            store = store.only([each.key for each in wanted])
            keep_store(self._project, store, sha256=self._describer.sha256)
        maps, digest = self._maps(images, objects, store)
        write_maps(self._context.run_dir, maps)
        more = [f"and {len(failed) - MOST_TOLD} images more"] if len(failed) > MOST_TOLD else []
        return EmbedResult(
            features=self._describer.name,
            features_sha256=self._describer.sha256,
            sets=sets,
            layout=self._settings.layout,
            n_images=len(images),
            n_objects=len(objects),
            n_reused=n_known,
            n_landmarks=MOST_LANDMARKS,
            map_digest=digest,
            notes=(*failed[:MOST_TOLD], *more),
            seconds=round(time.monotonic() - began, 3),
        )

    def _list(self) -> tuple[tuple[str, ...], list[Picture], list[Picture]]:
        """Names of the sets, and all pictures: those of the project first."""
        has_objects = self._settings.objects
        own = list_pictures(self._project, has_objects=has_objects)
        images, objects = list(own.images), list(own.objects)
        names = self._settings.sets or tuple(each.name for each in self._project.sets.list())
        if not self._settings.n_most:
            return (), images, objects
        for number, name in enumerate(names):
            self._context.tick(number, len(names))
            listed = list_pictures(self._project, name, has_objects=has_objects)
            images += self._drawn(listed.images, number)
            objects += self._drawn(listed.objects, number)
        return tuple(names), images, objects

    def _drawn(self, pictures: Sequence[Picture], number: int) -> list[Picture]:
        """At most as many of a set as are wanted, in their order."""
        if len(pictures) <= self._settings.n_most:
            return list(pictures)
        order = open_stream(self._settings.seed, PICTURE_CHOICE, number).permutation(len(pictures))
        return [pictures[row] for row in np.sort(order[: self._settings.n_most]).tolist()]

    def _maps(
        self, images: Sequence[Picture], objects: Sequence[Picture], store: FeatureStore
    ) -> tuple[FeatureMaps, str]:
        """The maps, and what they depend on; those of the last run where that is the same."""
        described = [store.only([each.key for each in each_kind]) for each_kind in (images, objects)]
        digest = self._digest(described)
        if (earlier := self._find_maps(digest)) is not None:
            return earlier, digest
        found = []
        for kind, each in zip(("images", "objects"), described, strict=True):
            self._context.stage(f"Laying out {len(each):,} {kind}")
            self._context.tick(0, 1)
            found.append(self._lay_out(each))
        return FeatureMaps(*found), digest

    def _lay_out(self, store: FeatureStore) -> PictureMap:
        if not len(store):
            return NO_MAP
        chosen = self._settings
        placed = lay_out(store.vectors(), method=chosen.layout, perplexity=chosen.perplexity, seed=chosen.seed)
        return PictureMap(store.keys, placed)

    def _digest(self, described: Sequence[FeatureStore]) -> str:
        chosen = self._settings
        facts = (chosen.layout, chosen.perplexity, chosen.seed, self._describer.name, self._describer.sha256)
        digest = hashlib.sha256(repr(facts).encode())
        for each in described:
            digest.update(b"|" + b"".join(each.keys))
        return digest.hexdigest()

    def _find_maps(self, digest: str) -> FeatureMaps | None:
        for run in reversed(self._project.runs.list(kind="embed")):
            if run.status is RunStatus.FINISHED and f'"{digest}"' in run.summary_json:
                try:
                    return read_maps(self._project.run_folder(run.id))
                except UserError:  # it only saves time
                    continue
        return None


def _open_describer(settings: EmbedSettings, context: JobContext) -> Describer:
    weights = context.project.models.find_weights(settings.features)
    if weights is None:
        return BUILT_IN
    from synthstudio.engine.features import NetworkFeatures, open_features  # noqa: PLC0415 - brings torch, not needed else

    opened = open_features(str(weights), context.device)
    assert isinstance(opened, NetworkFeatures)  # there is a file

    def extract(images: Sequence[ImageArray]) -> FeatureRows:
        return network_vectors(opened.extract(images))

    return Describer(extract, opened.name, opened.sha256, side_px=opened.network.side)
