"""Random sequences of edits never let page, database and model diverge; `bench_edits` runs 10 000 steps of them."""

from pathlib import Path

import pytest
from pytestqt.qtbot import QtBot

from synthstudio.domain.ids import ClassId
from tests.support.editing_machine import edited_page, run_random_edits


def test_that_random_edits_leave_what_a_plain_model_expects(qtbot: QtBot, tmp_path: Path) -> None:
    with edited_page(tmp_path / "study") as edited:
        run_random_edits(edited, n_sequences=12, n_steps=40)


def test_that_the_comparison_notices_a_lost_edit(qtbot: QtBot, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with edited_page(tmp_path / "study") as edited:
        editor, right = edited.page.editor, edited.page.editor.set_class_of_selected

        def forgetful(class_id: ClassId) -> None:
            if len(edited.page.view.selection) < 2:
                right(class_id)

        monkeypatch.setattr(editor, "set_class_of_selected", forgetful)
        with pytest.raises(AssertionError):
            run_random_edits(edited, n_sequences=60, n_steps=40, shortens=False)
