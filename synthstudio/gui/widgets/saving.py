"""Saving what a widget shows under a name that the user chooses."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from PySide6.QtCore import QBuffer, QByteArray, QIODevice
from PySide6.QtGui import QImage, QImageWriter
from PySide6.QtWidgets import QFileDialog, QWidget

from synthstudio.core.imaging import write_bytes_atomically
from synthstudio.domain.errors import UserError
from synthstudio.gui.errors import report


def choose_file(parent: QWidget, suggested: str, filters: str, chosen: Callable[[Path], None]) -> QFileDialog:
    """Ask for a file to save to; calls `chosen` with it, or nothing where the user gives up."""
    dialog = QFileDialog(parent, "Save as", suggested, filters)
    dialog.setAcceptMode(QFileDialog.AcceptMode.AcceptSave)
    dialog.setDefaultSuffix(Path(suggested).suffix.lstrip("."))
    dialog.fileSelected.connect(lambda name: chosen(Path(name)))
    dialog.finished.connect(dialog.deleteLater)
    dialog.open()
    return dialog


def png_bytes(image: QImage) -> bytes:
    """The image as PNG."""
    buffer = QBuffer()
    buffer.open(QIODevice.OpenModeFlag.WriteOnly)
    QImageWriter(buffer, QByteArray(b"png")).write(image)  # QImage.save refuses its format in some versions of PySide6
    return bytes(buffer.data().data())


def save_image(parent: QWidget, image: QImage, suggested: str) -> None:
    """Ask where to, and save the image as PNG."""
    save_bytes(parent, suggested, "PNG (*.png)", lambda: png_bytes(image))


def save_bytes(parent: QWidget, suggested: str, filters: str, make: Callable[[], bytes]) -> None:
    """Ask where to, and save what `make` gives."""

    def write(path: Path) -> None:
        try:
            write_bytes_atomically(path, make())
        except UserError as error:
            report(error, parent=parent)

    choose_file(parent, suggested, filters, write)
