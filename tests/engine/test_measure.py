"""The measure job: GANs, generated sets and composites against held-out images."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
import torchvision
from safetensors.torch import save_file

from synthstudio.core.evaluation.nearest_table import NEAREST_NAME, read_nearest
from synthstudio.core.fields.skin_simulator import SKIN_CONDITIONS
from synthstudio.core.imaging import read_image, sha256_of_file
from synthstudio.domain.errors import Cancelled, NotFound, UserError
from synthstudio.domain.ids import SetName
from synthstudio.domain.records import Generator, Split, SyntheticSet, Verdict, VerdictKind
from synthstudio.engine.jobs import compose, measure
from synthstudio.project import Project
from synthstudio.protocol.results import MeasureResult
from synthstudio.settings.compose import ComposeSettings, CompositionSettings
from synthstudio.settings.generate import GenerateSettings, RequestSettings
from synthstudio.settings.measure import MeasureSettings
from tests.support.engine_project import RecordingContext, build_engine_project
from tests.support.skin_study import build_skin_study
from tests.support.trained_gans import add_trained_gan, put_crops_in_place, write_generated

CONDITIONS = tuple(each.name for each in SKIN_CONDITIONS[:2])


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Project]:
    """Photographs of 8 training, 2 validation and 8 test patients, and a GAN with random weights."""
    folder = tmp_path_factory.mktemp("study")
    project = build_skin_study(folder / "skin", n_train=8, n_val=2, n_test=8, size_px=(160, 120))
    add_trained_gan(project)
    yield project
    project.close()


def _measure(project: Project, settings: MeasureSettings | None = None, *, seed: int = 0) -> tuple[MeasureResult, Path]:
    context = RecordingContext(project, "measure", seed=seed)
    return measure.run(settings or MeasureSettings(draws=2), context), context.run_dir


def test_that_a_gan_is_measured_on_the_maps_of_held_out_crops(study: Project) -> None:
    result, folder = _measure(study)
    assert (result.target, result.split) == ("run", "test")
    assert result.name == study.runs.list(kind="train-gan")[-1].id
    whole = result.overall
    assert whole.n_real == whole.n_synthetic + result.n_duplicates[0] - result.n_duplicates[1]
    assert whole.n >= 6
    assert set(whole.figures) == {"fid", "kid", "precision", "recall", "density", "coverage"}
    fid = whole.figures["fid"]
    assert fid.ci95[0] > fid.floor_ci95[1]  # random weights make no skin
    assert fid.difference == pytest.approx(fid.mean - fid.floor)
    assert not result.is_published
    assert any("not comparable with published" in note for note in result.notes)
    table = read_nearest(folder)
    assert table.n_images == whole.n_synthetic
    assert all((folder / pair.file).is_file() for pair in table.pairs)


def test_that_the_same_seed_measures_the_same_and_only_held_out_images_are_compared(study: Project) -> None:
    (first, _), (again, _) = _measure(study), _measure(study)
    assert first.model_copy(update={"seconds": 0.0}) == again.model_copy(update={"seconds": 0.0})
    learned = {fov.id for fov in study.fovs.list(split=Split.TRAIN)}
    table = read_nearest(_measure(study)[1])
    assert {pair.fov for pair in table.pairs} <= learned


def test_that_real_images_in_disguise_measure_like_real_ones_and_copies_are_told(study: Project) -> None:
    gan = study.runs.list(kind="train-gan")[-1].id
    write_generated(study, GenerateSettings(run=gan, set_name="disguised", count=24))
    put_crops_in_place(study, gan, "disguised")
    result, folder = _measure(study, MeasureSettings(set_name="disguised", draws=6))
    fid = result.overall.figures["fid"]
    assert (result.target, result.name) == ("set", "disguised")
    assert fid.ci95[0] < fid.floor_ci95[1]
    assert result.n_too_near == result.overall.n_synthetic
    table = read_nearest(folder)
    assert all(pair.correlation > 0.95 for pair in table.pairs)
    assert not (folder / "images").exists()  # found by reference in the set


def test_that_the_nearest_pair_names_the_place_that_it_was_copied_from(study: Project) -> None:
    result, folder = _measure(study, MeasureSettings(set_name="disguised", draws=2))
    assert result.n_too_near
    pair = read_nearest(folder).pairs[0]
    x, y, side = pair.window
    cut = read_image(Path(study.fovs.get(pair.fov).path))[y : y + side, x : x + side]
    made = read_image(study.set_folder("disguised") / pair.file)
    assert abs(float(cut.mean()) - float(made.mean())) < 6


def test_that_exact_repeats_are_dropped_and_counted(study: Project) -> None:
    folder = study.set_folder("disguised")
    data = (folder / "images/000000.png").read_bytes()
    _copy_set(study, "disguised", "repeated")
    manifest = (study.set_folder("repeated") / "manifest.jsonl").read_text().splitlines()
    first, second = (_sha(line) for line in manifest[:2])
    (study.set_folder("repeated") / "images/000001.png").write_bytes(data)
    text = "\n".join([manifest[0], manifest[1].replace(second, first), *manifest[2:]]) + "\n"
    (study.set_folder("repeated") / "manifest.jsonl").write_text(text)
    whole, _ = _measure(study, MeasureSettings(set_name="disguised", draws=2))
    result, _ = _measure(study, MeasureSettings(set_name="repeated", draws=2))
    assert result.n_duplicates[0] == whole.n_duplicates[0] + 1
    assert result.overall.n_synthetic == whole.overall.n_synthetic - 1
    assert any("exact repeats" in note for note in result.notes)


def test_that_rejected_images_are_not_measured(study: Project) -> None:
    _copy_set(study, "disguised", "reviewed")
    for index in range(5):
        study.verdicts.put(Verdict(SetName("reviewed"), index, VerdictKind.REJECTED, "", "me", ""))
    result, _ = _measure(study, MeasureSettings(set_name="reviewed", draws=2))
    assert result.overall.n_synthetic + result.n_duplicates[0] == 19


def test_that_measuring_against_what_was_learned_is_said_to_be_so(study: Project) -> None:
    result, _ = _measure(study, MeasureSettings(split=Split.TRAIN, draws=2))
    assert any("learned from" in note for note in result.notes)
    assert not any("part of the distance" in note for note in result.notes)  # each image has its real counterpart


def test_that_conditions_in_other_shares_than_the_real_ones_are_told(study: Project) -> None:
    one = study.classes.list()[0].name
    gan = study.runs.list(kind="train-gan")[-1].id
    requests = RequestSettings(classes=(one,))
    write_generated(study, GenerateSettings(run=gan, set_name="one-sided", count=12, requests=requests))
    result, _ = _measure(study, MeasureSettings(set_name="one-sided", draws=2))
    assert any(f'"{one}" is on 100%' in note and "part of the distance" in note for note in result.notes)


def test_that_each_condition_with_enough_images_has_figures_of_its_own(tmp_path: Path) -> None:
    project = build_skin_study(
        tmp_path / "skin", n_train=4, n_val=1, n_test=16, conditions=CONDITIONS, size_px=(128, 96)
    )
    add_trained_gan(project)
    result, _ = _measure(project, MeasureSettings(draws=2))
    assert [each.name for each in result.by_condition] == sorted(CONDITIONS)
    assert all(each.n >= measure.LEAST_OF_PART and each.figures for each in result.by_condition)
    assert all(not each.figures and not each.n for each in result.by_tone)
    project.close()


def test_that_composites_are_measured_against_squares_of_whole_fields(tmp_path: Path) -> None:
    project = build_engine_project(tmp_path, n_test=4)
    settings = ComposeSettings(set_name="made", count=14, composition=CompositionSettings(canvas_px=64))
    compose.run(settings, RecordingContext(project, "compose"))
    _enter(project, "made", n=14, generator=Generator.COMPOSITED)
    result, folder = _measure(project, MeasureSettings(set_name="made", draws=3))
    assert result.overall.n_real == 4 * 4
    assert result.overall.figures["fid"].mean > 0
    assert any("pieces of training images" in note for note in result.notes)
    assert read_nearest(folder).pairs[0].window[2] == 64
    project.close()


def test_that_a_jpeg_set_is_compared_with_real_images_that_took_the_same_way(study: Project) -> None:
    gan = study.runs.list(kind="train-gan")[-1].id
    settings = GenerateSettings(run=gan, set_name="lossy", count=12, format="jpeg", quality=20)
    write_generated(study, settings)
    as_stored, _ = _measure(study, MeasureSettings(set_name="lossy", draws=2))
    lossless, _ = _measure(study, MeasureSettings(draws=2))
    floors = [each.overall.figures["fid"].floor for each in (as_stored, lossless)]
    assert floors[0] != pytest.approx(floors[1], rel=1e-6)


def test_that_a_feature_file_is_named_with_its_hash(study: Project, tmp_path: Path) -> None:
    path = tmp_path / "mine.safetensors"
    tensors = torchvision.models.get_model("mobilenet_v3_small", weights=None).state_dict()
    save_file({name: tensor.contiguous() for name, tensor in tensors.items()}, path)
    result, _ = _measure(study, MeasureSettings(draws=2, n_images=24, features=study.models.add(path).name))
    assert result.features == "mobilenet_v3_small (mine.safetensors)"
    assert result.features_sha256 == sha256_of_file(path)
    assert not result.is_published


def test_that_a_measurement_can_be_cancelled_between_draws(study: Project) -> None:
    context = RecordingContext(study, "measure")
    context.stop_at = (3, 7)
    with pytest.raises(Cancelled):
        measure.run(MeasureSettings(draws=7), context)
    assert not (context.run_dir / NEAREST_NAME).exists()


@pytest.mark.parametrize(
    ("settings", "expected"),
    [(MeasureSettings(set_name="nothing"), NotFound), (MeasureSettings(run="nobody"), NotFound)],
)
def test_that_what_is_not_there_is_refused(
    study: Project, settings: MeasureSettings, expected: type[Exception]
) -> None:
    with pytest.raises(expected):
        _measure(study, settings)


def test_that_a_project_without_a_gan_says_what_to_do(tmp_path: Path) -> None:
    project = build_skin_study(tmp_path / "skin", n_train=2, n_val=1, n_test=1, size_px=(128, 96))
    with pytest.raises(UserError, match="No GAN has been trained"):
        _measure(project)
    project.close()


def test_that_too_few_images_are_refused_with_their_numbers(tmp_path: Path) -> None:
    project = build_skin_study(tmp_path / "skin", n_train=2, n_val=1, n_test=2, size_px=(128, 96))
    add_trained_gan(project)
    with pytest.raises(UserError, match="of 2 samples are too few"):
        _measure(project)
    project.close()


def test_that_a_set_whose_gan_is_gone_is_refused(study: Project) -> None:
    _copy_set(study, "disguised", "orphaned")
    header = study.set_folder("orphaned") / "set.json"
    header.write_text(header.read_text().replace("train-gan", "train-gone"))
    with pytest.raises(UserError, match="not in this project any more"):
        _measure(study, MeasureSettings(set_name="orphaned"))


def _sha(line: str) -> str:
    return line.split('"sha256":"')[1][:64]


def _enter(project: Project, name: str, *, n: int, generator: Generator = Generator.GAN) -> None:
    project.sets.put(SyntheticSet(SetName(name), generator, None, n, "", "{}", "", ""))


def _copy_set(project: Project, name: str, copy: str) -> None:
    shutil.copytree(project.set_folder(name), project.set_folder(copy))
    _enter(project, copy, n=24)
