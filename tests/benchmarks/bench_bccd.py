"""The product's path on the real BCCD images: train on composites and on real crops, evaluate, compare with the bars.

Run: `python -m tests.benchmarks.bench_bccd --seeds 0 1` from the repository; prints one line per run and a table.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import threading
import time
from pathlib import Path

import numpy as np

from synthstudio.core.annotations.voc import read_voc
from synthstudio.domain.ids import RunId
from synthstudio.domain.records import RunStatus, Split
from synthstudio.engine.context import CancelToken, JobContext
from synthstudio.engine.jobs import evaluate, train_classifier
from synthstudio.project import Project
from synthstudio.project.imports import apply_import
from synthstudio.project.runs import new_run_id
from synthstudio.protocol.messages import AnyEvent, MetricLogged, WarningRaised
from synthstudio.protocol.results import EvaluateResult
from synthstudio.settings.evaluate import EvaluateSettings
from synthstudio.settings.train_classifier import TrainClassifierSettings
from tests.support.shared_data import ROOT

NAMES = ("RBC", "WBC", "Platelets")
BARS = (
    ("real F1 WBC", "real-crops", "f1", "WBC", 0.82),
    ("real F1 platelets", "real-crops", "f1", "Platelets", 0.70),
    ("synthetic F1 WBC", "synthetic", "f1", "WBC", 0.76),
    ("synthetic F1 platelets", "synthetic", "f1", "Platelets", 0.68),
    ("synthetic pointing RBC", "synthetic", "pointing", "RBC", 0.75),
    ("synthetic pointing WBC", "synthetic", "pointing", "WBC", 0.95),
    ("synthetic pointing platelets", "synthetic", "pointing", "Platelets", 0.88),
    ("synthetic energy RBC", "synthetic", "energy", "RBC", 0.65),
)
Scores = dict[tuple[str, str], float]


def build_project(folder: Path) -> Project:
    """Import BCCD: its train part for training, its val part as the test split."""
    project = Project.create(folder)
    plan = read_voc(ROOT / "bccd")
    apply_import(project, plan, copy=False)
    with project.transaction():
        held_out = [sample.id for sample in project.samples.list() if sample.split is Split.VAL]
        project.samples.set_split(held_out, Split.TEST)
    return project


def build_context(project: Project, kind: str, *, seed: int, events: list[AnyEvent]) -> JobContext:
    """Make a context that collects events."""
    run_id = new_run_id(kind)
    run_dir = project.run_folder(run_id)
    run_dir.mkdir(parents=True)
    project.runs.add(run_id, kind=kind, title=kind, settings_json="{}")
    return JobContext(
        project=project,
        run_id=run_id,
        run_dir=run_dir,
        device="auto",
        seed=seed,
        resume=False,
        emit=events.append,
        cancel=CancelToken(),
        save_checkpoint=threading.Event(),
    )


def run_once(project: Project, settings: TrainClassifierSettings) -> tuple[Scores, EvaluateResult, float]:
    """Train and evaluate once."""
    events: list[AnyEvent] = []
    context = build_context(project, settings.kind, seed=settings.seed, events=events)
    began = time.monotonic()
    train_classifier.run(settings, context)
    seconds = time.monotonic() - began
    project.runs.set_ended(RunId(context.run_id), RunStatus.FINISHED)
    result = evaluate.run(
        EvaluateSettings(run=context.run_id), build_context(project, "evaluate", seed=0, events=events)
    )
    scores: Scores = {}
    for name in NAMES:
        located = result.localization.per_class[name]
        figures = {
            "f1": result.classification.per_class[name].f1,
            "pointing": located.pointing_accuracy,
            "chance": located.chance,
            "energy": located.energy_in_box,
            "center": located.center.f1,
        }
        scores |= {(key, name): np.nan if value is None else value for key, value in figures.items()}
    macro = result.classification.macro_f1
    scores["f1", "macro"] = np.nan if macro is None else macro
    _say(settings, scores, seconds, events)
    return scores, result, seconds


def _say(settings: TrainClassifierSettings, scores: Scores, seconds: float, events: list[AnyEvent]) -> None:
    rows = {
        key: [round(scores[key, name], 3) for name in NAMES] for key in ("f1", "pointing", "chance", "energy", "center")
    }
    macro = [round(e.value, 3) for e in events if isinstance(e, MetricLogged) and e.name == "f1/macro"]
    out = [f"{settings.source} seed {settings.seed} {seconds:.0f} s", f"macro {scores['f1', 'macro']:.3f}"]
    out += [f"{key} {values}" for key, values in rows.items()]
    out += [f"validation {macro}"] + [e.text for e in events if isinstance(e, WarningRaised)]
    sys.stdout.write(" | ".join(out) + "\n")
    sys.stdout.flush()


def main() -> None:
    """Run the benchmark."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1])
    parser.add_argument("--sources", nargs="+", default=["synthetic", "real-crops"])
    parser.add_argument("--settings", default="{}", help="JSON merged into the training settings")
    chosen = parser.parse_args()
    means: dict[str, Scores] = {}
    with tempfile.TemporaryDirectory() as folder:
        project = build_project(Path(folder) / "bccd")
        for source in chosen.sources:
            found = [
                run_once(
                    project,
                    TrainClassifierSettings.model_validate(
                        {**json.loads(chosen.settings), "source": source, "seed": seed}
                    ),
                )[0]
                for seed in chosen.seeds
            ]
            means[source] = {key: float(np.mean([each[key] for each in found])) for key in found[0]}
        project.close()
    print_table(means)


def print_table(means: dict[str, Scores]) -> None:
    """Print every bar with the mean over the seeds."""
    lines = [
        _line(label, means[source][key, name], bar, is_met=means[source][key, name] >= bar)
        for label, source, key, name, bar in BARS
        if source in means
    ]
    if len(means) == 2:
        gap = means["real-crops"]["f1", "macro"] - means["synthetic"]["f1", "macro"]
        lead = means["synthetic"]["pointing", "RBC"] - means["real-crops"]["pointing", "RBC"]
        lines.append(_line("macro F1, real minus synthetic", gap, 0.06, is_met=gap <= 0.06))
        lines.append(_line("pointing RBC, synthetic - real", lead, 0.25, is_met=lead >= 0.25))
    sys.stdout.write("\n".join(lines) + "\n")


def _line(label: str, value: float, bar: float, *, is_met: bool) -> str:
    return f"{label:32s} {value:.3f}  bar {bar:.2f}  {'ok' if is_met else 'MISSED'}"


if __name__ == "__main__":
    main()
