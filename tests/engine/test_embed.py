"""The embed job: features of what has changed, and a map that keeps like pictures together."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import torchvision
from safetensors.torch import save_file

from synthstudio.core.evaluation import map_layout
from synthstudio.core.evaluation.feature_map import FeatureMaps, read_maps
from synthstudio.core.evaluation.map_layout import lay_out
from synthstudio.core.evaluation.similar import MOST_DIMENSIONS
from synthstudio.domain.errors import Cancelled, UserError
from synthstudio.domain.ids import RunId
from synthstudio.domain.records import RunStatus
from synthstudio.engine.jobs import embed
from synthstudio.project import Project
from synthstudio.project.features import read_store
from synthstudio.project.pictures import list_pictures
from synthstudio.protocol.results import EmbedResult
from synthstudio.settings.compose import ComposeSettings, CompositionSettings
from synthstudio.settings.embed import EmbedSettings
from tests.support.engine_project import RecordingContext, build_engine_project
from tests.support.sets import add_set

N_FOVS, N_MADE = 8, 5


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("built")
    project = build_engine_project(folder, n_train=6, n_val=1, n_test=1)
    add_set(project, ComposeSettings(set_name="made", count=N_MADE, composition=CompositionSettings(canvas_px=96)))
    project.close()
    return folder


@pytest.fixture
def project(built: Path, tmp_path: Path) -> Iterator[Project]:
    project = Project.open(shutil.copytree(built, tmp_path / "copy") / "project")
    yield project
    project.close()


def embedded(project: Project, settings: EmbedSettings | None = None) -> tuple[EmbedResult, FeatureMaps]:
    context = RecordingContext(project, "embed")
    result = embed.run(settings or EmbedSettings(), context)
    project.runs.set_ended(RunId(context.run_id), RunStatus.FINISHED, summary_json=result.model_dump_json())
    return result, read_maps(context.run_dir)


def test_that_project_and_sets_are_described_once_and_the_map_is_kept(project: Project) -> None:
    result, maps = embedded(project)
    n_objects = len(list_pictures(project).objects) + len(list_pictures(project, "made").objects)
    assert (result.n_images, result.n_objects, result.n_reused) == (N_FOVS + N_MADE, n_objects, 0)
    assert result.sets == ("made",)
    assert len(read_store(project)) == result.n_images + result.n_objects
    keys = [each.key for each in list_pictures(project).images]
    assert np.isfinite(maps.images.place(keys)).all()
    assert np.isnan(maps.images.place([b"unknown"])).all()
    assert np.abs(maps.objects.positions).max() == pytest.approx(1.0)
    again, kept = embedded(project)
    assert (again.n_reused, again.map_digest) == (result.n_images + result.n_objects, result.map_digest)
    assert np.array_equal(kept.objects.positions, maps.objects.positions)


def test_that_two_classes_that_look_different_lie_apart_on_the_map(project: Project) -> None:
    _, maps = embedded(project, EmbedSettings(n_most=0))
    objects = list_pictures(project).objects
    classes = np.array([each.mark.class_id for each in objects if each.mark is not None])
    places = maps.objects.place([each.key for each in objects])
    away = np.linalg.norm(places[:, None] - places, axis=2)
    np.fill_diagonal(away, np.inf)
    assert np.mean(classes[away.argmin(axis=1)] == classes) > 0.9


def test_that_sets_and_objects_can_be_left_out_and_a_part_of_a_set_is_drawn_by_the_seed(project: Project) -> None:
    result, maps = embedded(project, EmbedSettings(n_most=0, objects=False, layout="pca"))
    assert (result.n_images, result.n_objects, len(maps.objects.keys)) == (N_FOVS, 0, 0)
    some = [embedded(project, EmbedSettings(n_most=2, objects=False, layout="pca", seed=seed))[1] for seed in (1, 1, 2)]
    assert len(some[0].images.keys) == N_FOVS + 2
    assert some[0].images.keys == some[1].images.keys
    assert np.array_equal(some[0].images.positions, some[1].images.positions)


def test_that_a_cancelled_job_keeps_what_it_has_described(project: Project) -> None:
    context = RecordingContext(project, "embed")
    context.stop_at = (3, N_FOVS + N_MADE)
    with pytest.raises(Cancelled):
        embed.run(EmbedSettings(objects=False), context)
    # Pictures are described sixteen at a time; three images with their objects are more than that.
    context = RecordingContext(project, "embed")
    context.stop_at = (6, N_FOVS + N_MADE)
    with pytest.raises(Cancelled):
        embed.run(EmbedSettings(), context)
    assert len(read_store(project)) >= 16
    result, _ = embedded(project)
    assert result.n_reused >= 16


def test_that_a_network_from_a_file_describes_pictures_and_files_outside_the_project(
    project: Project, tmp_path: Path
) -> None:
    weights = tmp_path / "mine.safetensors"
    save_file(torchvision.models.resnet18(weights=None).state_dict(), weights)
    fov = project.fovs.list()[1]
    copy = tmp_path / "outside.png"
    copy.write_bytes(Path(fov.path).read_bytes())
    settings = EmbedSettings(features=str(weights), files=(str(copy),), n_most=0, objects=False, layout="pca")
    result, _ = embedded(project, settings)
    assert result.features == "resnet18 (mine.safetensors)"
    store = read_store(project, sha256=result.features_sha256, name=result.features)
    assert len(store) == N_FOVS  # the copy is the same content
    assert store.vectors().shape[1] == MOST_DIMENSIONS
    assert np.linalg.norm(store.vectors(), axis=1) == pytest.approx(np.ones(N_FOVS), rel=0.3)


def test_that_a_project_without_images_is_refused(tmp_path: Path) -> None:
    project = Project.create(tmp_path / "empty")
    with pytest.raises(UserError, match="no images"):
        embed.run(EmbedSettings(), RecordingContext(project, "embed"))
    project.close()


def test_that_more_pictures_than_landmarks_lie_among_those_that_they_are_like(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(map_layout, "MOST_LANDMARKS", 60)
    rng = np.random.default_rng(0)
    groups = np.repeat(np.arange(3), 60)
    vectors = (10.0 * np.eye(3, 20)[groups] + rng.normal(0, 0.5, (180, 20))).astype(np.float32)
    placed = lay_out(vectors, method="t-sne", perplexity=10, seed=0)
    middles = np.stack([placed[groups == each].mean(axis=0) for each in range(3)])
    nearest = np.linalg.norm(placed[:, None] - middles, axis=2).argmin(axis=1)
    assert np.array_equal(nearest, groups)
    assert np.array_equal(placed, lay_out(vectors, method="t-sne", perplexity=10, seed=0))


@pytest.mark.parametrize("n", [1, 2, 5])
def test_that_a_few_pictures_can_be_laid_out(n: int) -> None:
    placed = lay_out(
        np.random.default_rng(n).random((n, 118)).astype(np.float32), method="t-sne", perplexity=30, seed=0
    )
    assert placed.shape == (n, 2)
    assert np.isfinite(placed).all()


def test_that_features_of_what_is_gone_are_dropped_once_they_are_too_many(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    embedded(project)
    n_all = len(read_store(project))
    monkeypatch.setattr(embed, "MOST_KEPT", n_all - 1)
    result, _ = embedded(project, EmbedSettings(n_most=0))
    assert len(read_store(project)) == result.n_images + result.n_objects < n_all
