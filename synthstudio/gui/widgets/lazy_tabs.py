"""Tabs whose panels are made when they are first shown, and what can be done in those that are made."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial

from PySide6.QtCore import Signal, SignalInstance
from PySide6.QtGui import QShowEvent
from PySide6.QtWidgets import QVBoxLayout, QWidget
from typing_extensions import override

from synthstudio.gui.actions import ActionSpec
from synthstudio.gui.widgets.page_tabs import PageTabs


class LazyTabs(PageTabs):
    """A panel costs time and memory from when it is first shown, or first asked for.

    A panel has `actions()`, as pages have, and the signals `actions_outdated` and `page_requested` where it needs them.

    Signals:
        panel_built: (title, panel) A panel was made; nobody sees it yet.
        actions_added: (sequence of `ActionSpec`) What can be done in a panel that was made just now.
        actions_outdated: Other actions may be possible now.
        page_requested: (what) A panel says what would help.
    """

    panel_built = Signal(str, object)
    actions_added = Signal(object)
    actions_outdated = Signal()
    page_requested = Signal(str)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._holders: dict[str, _Holder] = {}
        self.currentChanged.connect(self.actions_outdated)

    def add_panel(self, title: str, make: Callable[[QWidget], QWidget]) -> None:
        """Add a tab; its panel is made by this, as a child of the widget that it is given."""
        holder = _Holder(make, partial(self._on_holder_built, title), self)
        self._holders[title] = holder
        self.addTab(holder, title)

    @property
    def titles(self) -> tuple[str, ...]:
        """The titles of the tabs, from left to right."""
        return tuple(self._holders)

    @property
    def panels(self) -> dict[str, QWidget]:
        """Those that are made, by title."""
        return {title: each.panel for title, each in self._holders.items() if each.panel is not None}

    def panel(self, title: str) -> QWidget:
        """A panel; made now where nobody has wanted it before. KeyError where there is no such tab."""
        return self._holders[title].build()

    def show_tab(self, title: str) -> None:
        """Show one of the tabs, by its title."""
        super().setCurrentWidget(self._holders[title])

    def build_next(self) -> bool:
        """Make one of the panels that are not there yet; False where all are."""
        holder = next((each for each in self._holders.values() if each.panel is None), None)
        if holder is not None:
            holder.build()
        return holder is not None

    @override
    def currentWidget(self) -> QWidget:
        """The panel that is shown; its place while it is not made yet."""
        holder = super().currentWidget()
        return holder.panel if isinstance(holder, _Holder) and holder.panel is not None else holder

    def _on_holder_built(self, title: str, panel: QWidget) -> None:
        for name in ("actions_outdated", "page_requested"):
            signal = getattr(panel, name, None)
            if isinstance(signal, SignalInstance):
                signal.connect(getattr(self, name))
        self.panel_built.emit(title, panel)
        self.actions_added.emit(_specs_of(panel))

    def panel_specs(self) -> list[ActionSpec]:
        """What can be done in the panels that are made; a panel's actions rest while another one is shown."""
        return [spec for panel in self.panels.values() for spec in _specs_of(panel)]

    def tab_specs(self, area: str, *, text: str, menu: str, show: Callable[[], None]) -> list[ActionSpec]:
        """An action for each tab, which shows it.

        Args:
            area: Of their ids.
            text: What they say, with a place for the title.
            menu: Where they stand.
            show: Brings the tabs themselves to sight.
        """

        def go(title: str) -> None:
            show()
            self.show_tab(title)

        return [
            ActionSpec(
                f"{area}.show_{title.lower().replace(' ', '_')}",
                text.format(title.lower()),
                partial(go, title),
                menu=menu,
            )
            for title in self.titles
        ]


class _Holder(QWidget):
    """The place of a panel, which makes it when it is shown."""

    def __init__(self, make: Callable[[QWidget], QWidget], built: Callable[[QWidget], None], parent: QWidget) -> None:
        super().__init__(parent)
        self._make, self._built = make, built
        self.panel: QWidget | None = None
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)

    def build(self) -> QWidget:
        if self.panel is None:
            self.panel = self._make(self)
            layout = self.layout()
            assert layout is not None
            self._built(self.panel)
            layout.addWidget(self.panel)
            self.panel.show()
        return self.panel

    @override
    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self.build()


def _specs_of(panel: QWidget) -> Sequence[ActionSpec]:
    own: Sequence[ActionSpec] = panel.actions()  # type: ignore[assignment]  # the pages' word, not QWidget's QActions
    return [
        replace(spec, enabled_when=partial(_can_do, panel, spec.enabled_when), area=spec.area or panel) for spec in own
    ]


def _can_do(panel: QWidget, condition: Callable[[], bool]) -> bool:
    return panel.isVisible() and condition()
