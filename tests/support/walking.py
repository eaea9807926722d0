"""Whether all that is in sight can be heard and reached by Tab."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import (
    QAbstractButton,
    QAbstractItemView,
    QAbstractSpinBox,
    QComboBox,
    QLabel,
    QLineEdit,
    QScrollBar,
    QSlider,
    QWidget,
)


def find_unreachable(page: QWidget, start: QWidget) -> list[str]:
    """What is in sight on a page and has no name, or is a button that Tab does not reach from `start`."""
    seen = walked(page, start)
    missed = [
        each.text() or each.toolTip()
        for each in page.findChildren(QAbstractButton)
        if each.isVisible()
        and each.isEnabled()
        and each.focusPolicy() & Qt.FocusPolicy.TabFocus
        and not each.isCheckable()  # of buttons that exclude one another the arrows reach the others
        and each not in seen
    ]
    return [*nameless_inputs(page), *missed]


def walked(page: QWidget, start: QWidget) -> set[QWidget]:
    """All that Tab reaches."""
    start.setFocus()
    seen: list[QWidget] = []
    for _ in range(300):
        page.focusNextChild()
        now = page.focusWidget()
        if now is None or now in seen:
            break
        seen.append(now)
    return set(seen)


def nameless_inputs(view: QWidget) -> list[str]:
    """Inputs in sight that a screen reader would call nothing."""
    buddies = {label.buddy() for label in view.findChildren(QLabel) if label.buddy()}
    inner = (QAbstractSpinBox, QComboBox, QLineEdit, QScrollBar)
    return [
        f"{each.metaObject().className()} in {type(each.parentWidget()).__name__}"
        for kind in (QComboBox, QAbstractSpinBox, QLineEdit, QSlider, QAbstractItemView)
        for each in view.findChildren(kind)
        if each.isVisible()
        and not each.objectName().startswith("qt_")
        and not isinstance(each.parentWidget(), inner)
        and not each.inherits("QHeaderView")  # is heard with its table
        and not each.accessibleName()
        and each not in buddies
    ]
