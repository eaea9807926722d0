"""Results of jobs as text for a terminal."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from synthstudio.cli.found import print_findings
from synthstudio.cli.measured import print_measurement
from synthstudio.cli.render import Scalar, print_lines, print_table
from synthstudio.cli.trained import print_training
from synthstudio.core.evaluation.feature_map import MAP_NAME
from synthstudio.core.training.recipe_tables import in_figures
from synthstudio.domain.records import Generator
from synthstudio.protocol.results import (
    AbsenceFigures,
    AnyResult,
    Classification,
    ComposeResult,
    DescribeResult,
    DetectResult,
    EmbedResult,
    EvaluateDetectorResult,
    EvaluateResult,
    ExplainResult,
    ExportOnnxResult,
    GenerateResult,
    MeasureResult,
    QualityResult,
    SearchRecipesResult,
    SuggestResult,
    TrainDetectorResult,
    TrainDiffusionResult,
    TrainGanResult,
    TrainPatchDiffusionResult,
    TrainResult,
    TrainUpscalerResult,
    UpscaleResult,
)


def print_result(result: AnyResult, folder: Path) -> None:
    """Write a result to standard output; `folder` is the run's."""
    match result:
        case ComposeResult():
            objects = ", ".join(f"{count} {name}" for name, count in result.n_objects.items())
            print_lines(
                f"set {result.set}: {result.n_images} images in {result.seconds:.1f} s",
                f"objects: {objects or 'none'}",
                f"manifest sha256: {result.sha256}",
            )
        case GenerateResult():
            made_by = f"by the {'GAN' if result.generator is Generator.GAN else 'diffusion model'} {result.origin}"
            print_lines(
                f"set {result.set}: {result.n_images} images in {result.seconds:.1f} s {made_by}",
                f"conditions: {counted(result.n_by_class)}",
                *([f"tones: {counted(result.n_by_tone)}"] if result.n_by_tone else []),
                *(f"{count} of prompt: {prompt}" for prompt, count in result.n_by_prompt.items()),
                f"manifest sha256: {result.sha256}",
            )
        case (
            TrainResult()
            | TrainDetectorResult()
            | TrainGanResult()
            | TrainDiffusionResult()
            | TrainUpscalerResult()
            | TrainPatchDiffusionResult()
        ):
            print_training(result, folder)
        case UpscaleResult():
            print_lines(
                f"set {result.set}: {result.n_images} images of {result.size[0]} x {result.size[1]} px in"
                f" {result.seconds:.1f} s, those of the set {result.source_set} {result.factor} times larger",
                f"upscaler: {result.upscaler} ({result.method})",
                f"manifest sha256: {result.sha256}",
            )
        case EvaluateResult():
            _print_evaluation(result)
        case EvaluateDetectorResult():
            _print_detection(result)
        case DetectResult() | SuggestResult():
            _print_counts(result, folder)
        case ExplainResult():
            print_lines(f"class activation maps of {len(result.fovs)} fields of view:")
            print_lines(*(f"  {fov.name}: {folder / fov.folder}" for fov in result.fovs))
            print_lines(
                *(
                    f"correlation with the map of random weights, {name}: {'n/a' if value is None else f'{value:.2f}'}"
                    for name, value in result.random_correlation.items()
                )
            )
        case ExportOnnxResult():
            print_lines(
                f"model of run {result.run}: {result.path} ({result.n_bytes / 1e6:.1f} MB), its card {result.card}",
                f"differs from the trained network by at most {_differences(result)} ({result.provider})",
            )
        case SearchRecipesResult():
            _print_recipes(result, folder)
        case MeasureResult() | DescribeResult() | EmbedResult() | QualityResult():
            _print_of_data(result, folder)


def _print_of_data(result: MeasureResult | DescribeResult | EmbedResult | QualityResult, folder: Path) -> None:
    """Write what is said of a data set."""
    match result:
        case MeasureResult():
            print_measurement(result, folder)
        case DescribeResult():
            _print_figures(result)
        case EmbedResult():
            print_lines(
                f"{result.n_images:,} images and {result.n_objects:,} objects described by {result.features} in"
                f" {result.seconds:.1f} s, {result.n_reused:,} of them known from before",
                *(f"note: {text}" for text in result.notes),
                f"map ({result.layout}): {folder / MAP_NAME}",
            )
        case QualityResult():
            print_findings(result, folder)


def _differences(result: ExportOnnxResult) -> str:
    if result.box_difference_px is not None:
        other = f"{result.box_difference_px:.1g} px in its boxes"
    elif result.map_difference is not None:
        other = f"{result.map_difference:.1g} of the range of its maps"
    else:
        return f"{result.difference:.1g} in images from -1 to 1"
    return f"{result.difference:.1g} in probability and {other}"


def _print_recipes(result: SearchRecipesResult, folder: Path) -> None:
    table = result.table
    print_lines(
        f"{len(table.recipes)} recipes scored on {table.n_images} validation images of {table.n_samples} samples in"
        f" {result.seconds:.0f} s"
    )
    heads = [path.rsplit(".", 1)[-1].replace("_", " ") for path in table.varied]
    rows: list[list[Scalar]] = [
        [
            each.rank,
            *(value for _, value in each.choices),
            each.steps,
            *(in_figures(figure) for figure in (each.score, each.behind, each.macro_f1, each.pointing, each.center_f1)),
        ]
        for each in table.recipes
    ]
    print_table(("rank", *heads, "steps", "score", "behind", "macro F1", "pointing", "centre F1"), rows)
    print_lines(*(f"note: {text}" for text in table.notes), f"tables and the best recipe: {folder}")


def _print_figures(result: DescribeResult) -> None:
    what = f"set {result.set}" if result.set else "project"
    seen = f"{result.n_reused} measured before, {result.n_unmeasured} not to be measured"
    print_lines(f"{what}: {result.n_images} images ({seen}) in {result.seconds:.1f} s")
    rows: list[list[Scalar]] = [
        [name.replace("_", " "), each.p5, each.median, each.p95] for name, each in result.figures.items()
    ]
    print_table(("of the images", "5 %", "median", "95 %"), rows)
    print_lines(*(f"note: {text}" for text in result.notes))


def counted(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{count} {name}" for name, count in counts.items())


def _print_evaluation(result: EvaluateResult) -> None:
    classification, localization = result.classification, result.localization
    print_lines(f"run {result.run} on {result.split}: {result.n_images} images of {result.n_groups} samples")
    heads = ("class is present", "precision", "recall", "F1", "95 %", "specif.", "AUC", "AP", "crops")
    print_table(heads, _presence_rows(classification))
    places: list[list[Scalar]] = [
        [
            name,
            each.pointing_accuracy,
            each.chance,
            each.center.precision,
            each.center.recall,
            each.center.f1,
            each.energy_in_box,
            each.energy_chance,
        ]
        for name, each in localization.per_class.items()
    ]
    center = localization.center
    places.append(
        [
            "all",
            localization.pointing_accuracy,
            localization.chance,
            center.precision,
            center.recall,
            center.f1,
            localization.energy_in_box,
            None,
        ]
    )
    print_lines("")
    columns = ("where its map points", "pointing", "chance", "centre prec.", "recall", "F1", "energy in", "by chance")
    print_table(columns, places)
    print_lines(*(f"note: {text}" for text in result.notes))


def _presence_rows(classification: Classification) -> list[list[Scalar]]:
    rows: list[list[Scalar]] = [
        [
            name,
            each.precision,
            each.recall,
            each.f1,
            _interval(each.ci95),
            each.specificity,
            each.auc,
            each.ap,
            each.support,
        ]
        for name, each in classification.per_class.items()
    ]
    macro, interval = classification.macro, _interval(classification.ci95)
    precision, recall = (macro.precision, macro.recall) if macro is not None else (None, None)
    rows.append(
        [
            "macro",
            precision,
            recall,
            classification.macro_f1,
            interval,
            None,
            classification.auc,
            classification.ap,
            None,
        ]
    )
    for name, means in classification.averages:
        support = means.support if isinstance(means, AbsenceFigures) else None
        rows.append([name, means.precision, means.recall, means.f1, "", None, None, None, support])
    return rows


def _print_detection(result: EvaluateDetectorResult) -> None:
    print_lines(f"run {result.run} on {result.split}: {result.n_images} images of {result.n_groups} samples")
    rows: list[list[Scalar]] = [
        [
            name,
            each.precision,
            each.recall,
            each.f1,
            _interval(each.ci95),
            each.ap50,
            each.ap,
            each.support,
            f"{each.count.bias:+.2f}" if each.count is not None else "",
        ]
        for name, each in result.per_class.items()
    ]
    rows.append(["macro", None, None, result.macro_f1, _interval(result.ci95), result.map50, result.map, None, ""])
    print_table(
        ("boxes at IoU .5", "precision", "recall", "F1", "95 %", "AP50", "AP50:95", "objects", "count bias"), rows
    )
    print_lines(*(f"note: {text}" for text in result.notes))


def _print_counts(result: DetectResult | SuggestResult, folder: Path) -> None:
    names = list(result.fovs[0].counts) if result.fovs else []
    rows: list[list[Scalar]] = [[fov.name, *(fov.counts[name] for name in names)] for fov in result.fovs]
    rows.append(["all", *(sum(fov.counts[name] for fov in result.fovs) for name in names)])
    if isinstance(result, DetectResult):
        print_table(("objects found", *names), rows)
        print_lines(f"boxes and scores, one file an image: {folder}")
        return
    if result.fovs:
        print_table(("suggestions", *names), rows)
    if result.n_known:
        print_lines(f"{result.n_known} images had been searched by this model before; --again searches them anew")
    print_lines(
        *(f"note: {text}" for text in result.notes),
        f"by {result.run} ({result.provider}) in {result.seconds:.1f} s; they are suggestions, no annotations yet",
    )


def _interval(ci95: tuple[float, float] | None) -> str:
    return f"{ci95[0]:.2f} to {ci95[1]:.2f}" if ci95 else ""
