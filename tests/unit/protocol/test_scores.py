"""Figures of a result, and the rows of a report, for one class against its absence."""

from __future__ import annotations

from dataclasses import dataclass
from typing import cast

import numpy as np
import pytest

from synthstudio.client.reporting.presence import presence_section
from synthstudio.client.reporting.runs import ReportedRun
from synthstudio.core.evaluation.class_metrics import score_presence
from synthstudio.core.export.report.document import Table
from synthstudio.protocol.results import CenterScore as Centers
from synthstudio.protocol.results import Classification, EvaluateResult, Localization
from synthstudio.protocol.scores import to_classification


@pytest.fixture
def classification() -> Classification:
    """66 of 70 positives and all of 70 negatives are answered rightly."""
    labels = np.repeat([True, False], 70)[:, None]
    scores = np.concatenate([np.full(66, 0.9), np.full(74, 0.1)])[:, None]
    report = score_presence(scores, labels, thresholds=np.array([0.5]), sample_ids=np.arange(140), seed=0)
    return to_classification(["pox"], report, with_intervals=True)


def test_that_a_result_names_the_absence_of_its_one_class(classification: Classification) -> None:
    assert [name for name, _ in classification.averages] == [
        "weighted",
        "micro",
        "absent",
        "macro with absent",
        "weighted with absent",
    ]
    assert Classification.model_validate_json(classification.model_dump_json()) == classification


def test_that_a_report_has_a_row_for_the_absence_and_means_of_both(classification: Classification) -> None:
    nowhere = Localization(
        pointing_accuracy=None,
        chance=None,
        center=Centers(precision=None, recall=None, f1=None),
        energy_in_box=None,
        per_class={},
    )
    result = EvaluateResult(
        run="r",
        split="test",
        n_images=140,
        n_groups=140,
        classification=classification,
        localization=nowhere,
        seconds=1,
    )

    @dataclass
    class Evaluation:
        result: EvaluateResult

    @dataclass
    class Run:
        letter: str
        label: str
        place: int
        card: None
        evaluation: Evaluation

    section = presence_section([cast("ReportedRun", Run("A", "run A", 0, None, Evaluation(result)))])
    by_class, means = (each for each in section.blocks if isinstance(each, Table))
    assert [row[0] for row in by_class.rows] == ["pox", "no pox"]
    assert all(len(row) == len(by_class.columns) for row in by_class.rows)
    assert [row[1] for row in means.rows] == ["the classes", "presence and absence"]
    assert all(len(row) == len(means.columns) for row in means.rows)
