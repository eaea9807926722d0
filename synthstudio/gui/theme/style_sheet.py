"""The style sheet, written once over the tokens. `$name` is a token, `url($glyphs/...)` a glyph file.

Properties that a widget may carry: `heading`, `muted`, `small`, `danger`, `warning` (text), `primary` (button),
`flat` (button without a frame), `rail` (tool button of the workspace rail), `panel` (frame), `segment` (button of a row
of segments), `reset` (button that takes back a setting), `changed` (label of a setting that is not at its default),
`strong` (label), `dense` (table in a narrow panel).
"""

from __future__ import annotations

import dataclasses
import string

from synthstudio.gui.theme.tokens import Theme

_TEXT = """
* { outline: none; }
QWidget { color: $text; font-size: ${text_pt}pt; }
QMainWindow, QDialog { background: $window; }
QLabel { background: transparent; }
QLabel:disabled { color: $text_disabled; }
*[heading="true"] { font-size: ${text_heading_pt}pt; font-weight: 600; }
*[muted="true"] { color: $text_muted; }
*[small="true"] { font-size: ${text_small_pt}pt; }
*[danger="true"] { color: $danger; }
*[warning="true"] { color: $warning; }
QFrame[panel="true"] { background: $panel; border: none; }
QFrame[frameShape="4"], QFrame[frameShape="5"] { color: $border; }
QToolTip { background: $raised; color: $text; border: 1px solid $border_strong; padding: 4px 8px; }
"""

_BUTTONS = """
QPushButton { background: $raised; border: 1px solid $border_strong; border-radius: 4px; padding: 4px 12px;
    min-height: 1.5em; }
QPushButton:hover { background: $hover; }
QPushButton:pressed, QPushButton:checked { background: $pressed; }
QPushButton:focus { border-color: $accent; }
QPushButton:disabled { color: $text_disabled; background: $window; border-color: $border; }
QPushButton[primary="true"] { background: $accent; border-color: $accent; color: $on_accent; font-weight: 600; }
QPushButton[primary="true"]:hover { background: $accent_hover; border-color: $accent_hover; }
QPushButton[primary="true"]:focus { border-color: $text; }
QPushButton[primary="true"]:disabled { background: $pressed; border-color: $pressed; color: $text_disabled; }
QPushButton[flat="true"] { background: transparent; border-color: transparent; }
QPushButton[flat="true"]:hover { background: $hover; }
QPushButton[flat="true"]:focus { border-color: $accent; }
QToolButton { background: transparent; border: 1px solid transparent; border-radius: 4px; padding: 4px; }
QToolButton:hover { background: $hover; }
QToolButton:pressed { background: $pressed; }
QToolButton:checked { background: $accent_soft; color: $accent; }
QToolButton:focus { border-color: $accent; }
QToolButton:disabled { color: $text_disabled; }
QToolButton::menu-indicator { image: none; }
QToolButton[rail="true"] { border: none; border-radius: 6px; color: $text_muted; padding: 8px 4px;
    font-size: ${text_small_pt}pt; }
QToolButton[rail="true"]:hover { background: $hover; color: $text; }
QToolButton[rail="true"]:checked { background: $accent_soft; color: $accent; font-weight: 600; }
QToolButton[rail="true"]:disabled { color: $text_disabled; }
QToolButton[rail="true"]:focus { border: 1px solid $accent; padding: 7px 3px; }
"""

_INPUTS = """
QLineEdit, QPlainTextEdit, QTextEdit, QSpinBox, QDoubleSpinBox, QComboBox, QDateEdit, QTimeEdit {
    background: $field; border: 1px solid $border_strong; border-radius: 4px; padding: 4px 8px; min-height: 1.5em;
    selection-background-color: $accent; selection-color: $on_accent; }
QLineEdit { padding: 4px 6px; }
QLineEdit:hover, QSpinBox:hover, QDoubleSpinBox:hover, QComboBox:hover, QTimeEdit:hover {
    border-color: $text_disabled; }
QLineEdit:focus, QPlainTextEdit:focus, QTextEdit:focus, QSpinBox:focus, QDoubleSpinBox:focus, QComboBox:focus,
QTimeEdit:focus, QComboBox:on { border-color: $accent; }
QLineEdit:disabled, QPlainTextEdit:disabled, QTextEdit:disabled, QSpinBox:disabled, QDoubleSpinBox:disabled,
QTimeEdit:disabled, QComboBox:disabled { color: $text_disabled; background: $window; border-color: $border; }
*[invalid="true"] { border-color: $danger; }
QSpinBox, QDoubleSpinBox, QTimeEdit { padding: 4px 20px 4px 6px; }
QAbstractSpinBox QLineEdit, QComboBox QLineEdit { border: none; background: transparent; padding: 0;
    min-height: 0; }
QAbstractSpinBox::up-button, QAbstractSpinBox::down-button { border: none; background: transparent; width: 18px; }
QAbstractSpinBox::up-button { subcontrol-origin: border; subcontrol-position: top right; margin: 2px 2px 0 0; }
QAbstractSpinBox::down-button { subcontrol-origin: border; subcontrol-position: bottom right; margin: 0 2px 2px 0; }
QAbstractSpinBox::up-button:hover, QAbstractSpinBox::down-button:hover { background: $hover; border-radius: 3px; }
QAbstractSpinBox::up-arrow { image: url($glyphs/up-muted.svg); width: 12px; height: 12px; }
QAbstractSpinBox::down-arrow { image: url($glyphs/down-muted.svg); width: 12px; height: 12px; }
QAbstractSpinBox::up-arrow:disabled, QAbstractSpinBox::up-arrow:off { image: url($glyphs/up-disabled.svg); }
QAbstractSpinBox::down-arrow:disabled, QAbstractSpinBox::down-arrow:off { image: url($glyphs/down-disabled.svg); }
QComboBox { padding-right: 24px; }
QComboBox::drop-down { subcontrol-origin: border; subcontrol-position: center right; width: 24px; border: none; }
QComboBox::down-arrow { image: url($glyphs/down-muted.svg); width: 14px; height: 14px; }
QComboBox::down-arrow:disabled { image: url($glyphs/down-disabled.svg); }
QComboBox QAbstractItemView { background: $raised; border: 1px solid $border_strong; padding: 4px; outline: none; }
QCheckBox, QRadioButton { spacing: 8px; background: transparent; }
QCheckBox:disabled, QRadioButton:disabled { color: $text_disabled; }
QCheckBox::indicator, QRadioButton::indicator, QGroupBox::indicator, QAbstractItemView::indicator {
    width: 14px; height: 14px; border: 1px solid $border_strong; background: $field; border-radius: 3px; }
QRadioButton::indicator { border-radius: 8px; }
QCheckBox::indicator:hover, QRadioButton::indicator:hover { border-color: $accent; }
QCheckBox:focus, QRadioButton:focus { color: $accent; }
QCheckBox::indicator:focus, QRadioButton::indicator:focus { border-color: $accent; }
QCheckBox::indicator:checked, QGroupBox::indicator:checked, QAbstractItemView::indicator:checked {
    background: $accent; border-color: $accent; image: url($glyphs/check-on-accent.svg); }
QCheckBox::indicator:indeterminate { background: $accent; border-color: $accent;
    image: url($glyphs/dash-on-accent.svg); }
QRadioButton::indicator:checked { background: $accent; border-color: $accent;
    image: url($glyphs/dot-on-accent.svg); }
QCheckBox::indicator:disabled, QRadioButton::indicator:disabled { background: $window; border-color: $border; }
QCheckBox::indicator:checked:disabled { image: url($glyphs/check-disabled.svg); }
QRadioButton::indicator:checked:disabled { image: url($glyphs/dot-disabled.svg); }
QSlider::groove:horizontal { height: 4px; border-radius: 2px; background: $border; }
QSlider::sub-page:horizontal { height: 4px; border-radius: 2px; background: $accent; }
QSlider::sub-page:horizontal:disabled { background: $border_strong; }
QSlider::handle:horizontal { width: 12px; height: 12px; margin: -5px 0; border-radius: 7px; background: $raised;
    border: 1px solid $border_strong; }
QSlider::handle:horizontal:hover, QSlider::handle:horizontal:focus { border-color: $accent; }
QSlider::groove:vertical { width: 4px; border-radius: 2px; background: $border; }
QSlider::add-page:vertical { width: 4px; border-radius: 2px; background: $accent; }
QSlider::handle:vertical { width: 12px; height: 12px; margin: 0 -5px; border-radius: 7px; background: $raised;
    border: 1px solid $border_strong; }
"""

_VIEWS = """
QAbstractItemView { background: $panel; border: none; outline: none; selection-background-color: $accent_soft;
    selection-color: $text; alternate-background-color: $window; }
QListView::item, QTreeView::item { padding: 4px 8px; border-radius: 4px; color: $text; }
QTreeView::item { padding: 4px 5px; }
QTableView::item { padding: 2px 5px; }
QListView::item:hover, QTreeView::item:hover, QTableView::item:hover { background: $hover; }
QListView::item:selected, QTreeView::item:selected, QTableView::item:selected { background: $accent_soft;
    color: $text; }
QListView::item:disabled, QTreeView::item:disabled, QTableView::item:disabled { color: $text_disabled; }
QTableView { gridline-color: $border; }
QHeaderView { background: $panel; }
QTableCornerButton::section { background: $panel; border: none; border-bottom: 1px solid $border; }
QHeaderView::section { background: $panel; color: $text_muted; border: none; border-bottom: 1px solid $border;
    padding: 4px 8px; text-align: left; font-size: ${text_small_pt}pt; }
QTreeView::branch { background: transparent; }
QTreeView::branch:has-children:closed { image: url($glyphs/right-muted.svg); }
QTreeView::branch:has-children:open { image: url($glyphs/down-muted.svg); }
QScrollArea { background: transparent; border: none; }
QScrollArea > QWidget > QWidget { background: transparent; }
QScrollArea > QWidget > QAbstractItemView { background: $panel; }
QScrollBar:vertical { background: transparent; width: 12px; margin: 0; }
QScrollBar:horizontal { background: transparent; height: 12px; margin: 0; }
QScrollBar::handle { background: $scroll; border-radius: 4px; margin: 2px; }
QScrollBar::handle:vertical { min-height: 32px; }
QScrollBar::handle:horizontal { min-width: 32px; }
QScrollBar::handle:hover { background: $text_disabled; }
QScrollBar::add-line, QScrollBar::sub-line { width: 0; height: 0; }
QScrollBar::add-page, QScrollBar::sub-page { background: transparent; }
QAbstractScrollArea::corner { background: transparent; border: none; }
"""

_FRAMES = """
QGroupBox { border: none; border-top: 1px solid $border; margin-top: 2em; padding-top: 8px; font-weight: 600; }
QGroupBox::title { subcontrol-origin: margin; subcontrol-position: top left; padding: 8px 0 4px 0; color: $text; }
QTabWidget::pane { border: none; border-top: 1px solid $border; }
QTabBar { background: transparent; qproperty-drawBase: 0; }
QTabBar::tab { background: transparent; color: $text_muted; padding: 6px 12px; border: none;
    border-bottom: 2px solid transparent; }
QTabBar::tab:hover { color: $text; }
QTabBar::tab:selected { color: $text; border-bottom-color: $accent; font-weight: 600; }
QTabBar::tab:focus { color: $accent; }
QTabBar::tab:disabled { color: $text_disabled; }
QTabBar::close-button { image: url($glyphs/close-muted.svg); }
QSplitter::handle { background: $border; }
QSplitter::handle:horizontal { width: 1px; }
QSplitter::handle:vertical { height: 1px; }
QSplitter::handle:hover, QSplitter::handle:pressed { background: $accent; }
QProgressBar { background: $border; border: none; border-radius: 3px; min-height: 6px; max-height: 6px;
    text-align: center; color: transparent; }
QProgressBar::chunk { background: $accent; border-radius: 3px; }
QStatusBar { background: $window; border-top: 1px solid $border; color: $text_muted; }
QStatusBar::item { border: none; }
QToolBar { background: $window; border: none; border-bottom: 1px solid $border; spacing: 4px; padding: 4px; }
QMenuBar { background: $window; border: none; }
QMenuBar::item { padding: 4px 8px; background: transparent; border-radius: 4px; }
QMenuBar::item:selected { background: $hover; }
QMenu { background: $raised; border: 1px solid $border_strong; padding: 4px; }
QMenu::item { padding: 4px 24px 4px 12px; border-radius: 4px; }
QMenu::item:selected { background: $accent_soft; color: $text; }
QMenu::item:disabled { color: $text_disabled; }
QMenu::separator { height: 1px; background: $border; margin: 4px 8px; }
QMenu::right-arrow { image: url($glyphs/right-muted.svg); width: 12px; height: 12px; }
QMenu::indicator { width: 14px; height: 14px; margin-left: 4px; }
QMenu::indicator:checked { image: url($glyphs/check-muted.svg); }
QDockWidget::title { background: $panel; padding: 4px 8px; border-bottom: 1px solid $border; }
"""

# Here and not on the window itself: a widget below one that has a style sheet of its own is styled anew with all its
# children each time it gets another parent, which took half of the time of building a page.
_WINDOW = """
#mainWindow { background: $window; }
#topBar { background: $window; border-bottom: 1px solid $border; }
#rail { background: $window; border-right: 1px solid $border; }
#fovPanel { background: $panel; }
#jobStrip { background: $window; border-top: 1px solid $border; }
QPushButton[segment="true"] { padding-left: 2px; padding-right: 2px; }
QPushButton[segment="true"]:checked { background: $accent_soft; color: $accent; }
QPushButton[segment="true"]:checked:disabled { color: $text_disabled; }
QToolButton[reset="true"] { padding: 0; }
QLabel[changed="true"], QLabel[strong="true"] { font-weight: 600; }
QTableView[dense="true"]::item { padding: 2px 0; }
QTableView[dense="true"] QHeaderView::section { padding: 4px 3px; }
"""


def build_style_sheet(theme: Theme, *, glyphs: str) -> str:
    """Fill the style sheet with a theme's tokens; `glyphs` is the folder of the glyph files, with forward slashes."""
    sheet = string.Template(_TEXT + _BUTTONS + _INPUTS + _VIEWS + _FRAMES + _WINDOW)
    return sheet.substitute(dataclasses.asdict(theme), glyphs=glyphs)
