"""Asks for the hours in which jobs are begun."""

from __future__ import annotations

import dataclasses
from datetime import time

from PySide6.QtCore import Qt, QTime
from PySide6.QtWidgets import QCheckBox, QDialog, QFormLayout, QTimeEdit, QWidget

from synthstudio.domain.errors import UserError
from synthstudio.gui import errors
from synthstudio.gui.main_window.job_hours import JobHours, read_hours
from synthstudio.gui.widgets.dialog_layout import add_row, fill_dialog, hint_label
from synthstudio.gui.widgets.inset import inset_number
from synthstudio.gui.workspace import Workspace

NIGHT = "19:00-07:00"


class JobHoursDialog(QDialog):
    """Whether jobs keep to the clock, from when until when, and what becomes of one that still runs then."""

    def __init__(self, workspace: Workspace, parent: QWidget) -> None:
        super().__init__(parent)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setWindowTitle("Hours of the jobs")
        self._workspace = workspace
        kept = read_hours(workspace.preferences.job_hours)
        hours = kept or read_hours(NIGHT)
        assert hours is not None
        self.is_on = QCheckBox("Begin jobs only in these hours")
        self.is_on.setChecked(kept is not None)
        self.start, self.end = (QTimeEdit(QTime(each.hour, each.minute)) for each in (hours.start, hours.end))
        self.stops = QCheckBox("Stop what still runs then; it goes on when the hours begin again")
        self.stops.setChecked(hours.stops_running)
        for edit in (self.start, self.end):
            edit.setDisplayFormat("HH:mm")
            inset_number(edit)
        for widget in (self.start, self.end, self.stops):
            widget.setEnabled(kept is not None)
            self.is_on.toggled.connect(widget.setEnabled)
        form = QFormLayout()
        form.addRow(self.is_on)
        add_row(form, "From", self.start)
        add_row(form, "Until", self.end)
        form.addRow(self.stops)
        hint = hint_label("A training that is stopped goes on from its last checkpoint; other jobs begin anew.")
        fill_dialog(self, form, hint, save=self.save, width=400)

    def save(self) -> None:
        """Keep the hours and close; an error is reported in the window, the hours hold anyway."""
        text = ""
        if self.is_on.isChecked():
            start, end = (time(edit.time().hour(), edit.time().minute()) for edit in (self.start, self.end))
            text = JobHours(start, end, stops_running=self.stops.isChecked()).text()
        try:
            self._workspace.set_preferences(dataclasses.replace(self._workspace.preferences, job_hours=text))
        except UserError as error:
            errors.report(error, parent=self.parentWidget())
        self.accept()
