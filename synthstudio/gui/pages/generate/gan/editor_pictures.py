"""What is seen in the map editor: the map, the image beside it, and the real crop that it was started from."""

from __future__ import annotations

from functools import partial

from PySide6.QtCore import QPoint, Qt, Signal, Slot
from PySide6.QtWidgets import QApplication, QCheckBox, QComboBox, QHBoxLayout, QLabel, QMenu, QVBoxLayout, QWidget

from synthstudio.core.imaging import ImageArray
from synthstudio.core.synthesis.region_crops import RegionCrop
from synthstudio.domain.ids import ClassId
from synthstudio.domain.maps import MapRequest
from synthstudio.gui.canvas.map_canvas import MapCanvas
from synthstudio.gui.canvas.marked_view import MarkedView
from synthstudio.gui.canvas.pictures import to_picture
from synthstudio.gui.canvas.pyramid import WholePyramid
from synthstudio.gui.drawing import Drawn
from synthstudio.gui.pages.generate.gan.map_gan import MapGan
from synthstudio.gui.pages.generate.gan.map_sketch import sketch_map
from synthstudio.gui.pages.generate.gan.map_state import MapState
from synthstudio.gui.theme import GRID_PX
from synthstudio.gui.widgets.elided_label import ElidedLabel
from synthstudio.gui.widgets.saving import save_image
from synthstudio.gui.widgets.wheel_guard import guard_wheel

HINT = "Drag to draw a box, to move it, or to resize it by its grips. Alt draws over another box."
SKETCH, MAP, IMAGE = "Sketch", "Semantic map", "Image"
GROUNDS = {
    SKETCH: "A grey for the tone, and the colours of the conditions",
    MAP: "The map as the networks see it: red for the tone, green and blue for the condition",
    IMAGE: "The image itself",
}
FIRST_IMAGE = "The first image is on its way…"


class EditorPictures(QWidget):
    """Three views that zoom together, and a line of words below."""

    class_chosen = Signal(object)
    """`ClassId` for the selected boxes, from the context menu."""
    delete_requested = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._gan: MapGan | None = None
        self._drawn: Drawn | None = None
        self._crop: RegionCrop | None = None
        self._request: MapRequest | None = None
        self.canvas = MapCanvas(self)
        self.image_view = MarkedView(self)
        self.real_view = MarkedView(self)
        self.real_side = QWidget(self)
        self.boxes = QCheckBox("Boxes", self)
        self.boxes.setChecked(True)
        self.boxes.setToolTip("Show the boxes on the images")
        self.ground = QComboBox(self)
        self.ground.addItems(list(GROUNDS))
        for place, tip in enumerate(GROUNDS.values()):
            self.ground.setItemData(place, tip, Qt.ItemDataRole.ToolTipRole)
        self.ground.setAccessibleName("What the boxes are drawn on")
        self.ground.setToolTip("What the boxes are drawn on")
        guard_wheel(self.ground)
        self.latency = QLabel(self)
        self.real_name = ElidedLabel(self)
        self.note = QLabel(HINT, self)
        self._lay_out()
        self.boxes.toggled.connect(self._show_boxes)
        self.ground.currentIndexChanged.connect(self._show_ground)
        self.canvas.link_view(self.image_view)
        self.canvas.link_view(self.real_view)
        for view in (self.canvas, self.image_view, self.real_view):
            view.context_menu_requested.connect(partial(self._on_menu_requested, view))

    def _lay_out(self) -> None:
        for label in (self.latency, self.note, self.real_name):
            label.setProperty("muted", True)
        self.note.setWordWrap(True)
        self.note.setContentsMargins(2 * GRID_PX, GRID_PX, 2 * GRID_PX, GRID_PX)
        self.image_view.setAccessibleName("Generated image")
        self.real_view.setAccessibleName("Real crop")
        for view in (self.image_view, self.real_view):
            view.set_scale_bar_visible(False)
            view.setFocusPolicy(Qt.FocusPolicy.ClickFocus)
        real = self._column("Real crop", self.real_view, self.real_name)
        real.setContentsMargins(0, 0, 0, 0)
        self.real_side.setLayout(real)
        self.real_side.hide()
        row = QHBoxLayout()
        row.setSpacing(2)
        row.addLayout(self._column("Map", self.canvas, self.ground), 1)
        row.addLayout(self._column("Image", self.image_view, self.latency, self.boxes), 1)
        row.addWidget(self.real_side, 1)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        layout.addLayout(row, 1)
        layout.addWidget(self.note)

    def _column(self, title: str, view: QWidget, *beside: QWidget) -> QVBoxLayout:
        """A picture under its title, with what is said beside that."""
        head = QHBoxLayout()
        head.setContentsMargins(2 * GRID_PX, GRID_PX, 2 * GRID_PX, GRID_PX)
        head.setSpacing(2 * GRID_PX)
        label = QLabel(title, self)
        label.setProperty("strong", True)
        label.setMinimumHeight(self.ground.sizeHint().height())  # as high as its neighbours' heads
        head.addWidget(label)
        for widget in beside:
            head.addWidget(widget, 1 if isinstance(widget, ElidedLabel) else 0)
        if self.real_name not in beside:
            head.addStretch(1)
        column = QVBoxLayout()
        column.setSpacing(0)
        column.addLayout(head)
        column.addWidget(view, 1)
        return column

    @property
    def has_image(self) -> bool:
        """Whether a generated image is shown."""
        return self._drawn is not None

    def set_gan(self, gan: MapGan) -> None:
        """Show maps and images of another GAN; of the former one nothing is left."""
        self._gan, self._drawn, self._request = gan, None, None
        self.image_view.set_image(None)
        self.image_view.set_placeholder(FIRST_IMAGE)
        self.latency.clear()
        self.show_crop(None)
        self.say(HINT)

    def show_map(self, request: MapRequest) -> None:
        """Show a map under the boxes."""
        self._request = request
        if self.ground.currentText() != IMAGE:
            self._show_ground()

    def show_image(self, drawn: Drawn, *, latency_s: float) -> None:
        """Show an image, and how long it took from the hand."""
        self._drawn = drawn
        self.image_view.set_image(_small_pyramid(drawn.image), keep_view=True)
        self.latency.setText(f"{1000 * latency_s:.0f} ms")
        self.latency.setToolTip(f"From the hand to the picture; the GAN itself took {1000 * drawn.engine_s:.0f} ms.")
        self._show_boxes()
        if self.ground.currentText() == IMAGE:
            self._show_ground()
        self.say(HINT)

    def show_crop(self, crop: RegionCrop | None) -> None:
        """Show the real crop that the map was started from, or none."""
        self._crop = crop
        self.real_side.setVisible(crop is not None)
        if crop is not None:
            self.real_view.set_image(_small_pyramid(crop.image), keep_view=True)
            self.real_name.setText(f"{crop.plan.fov_name}, crop {crop.plan.index + 1}")
        self._show_boxes()

    def say(self, text: str, *, is_trouble: bool = False) -> None:
        """Say something below the pictures."""
        if text != self.note.text():
            self.note.setText(text)
            self.note.setProperty("muted", not is_trouble)
            self.note.setProperty("danger", is_trouble)
            self.note.style().polish(self.note)

    def show_next_ground(self) -> None:
        """Draw the boxes on something else."""
        self.ground.setCurrentIndex((self.ground.currentIndex() + 1) % self.ground.count())

    @Slot()
    def _show_ground(self) -> None:
        gan, request, drawn = self._gan, self._request, self._drawn
        if gan is None or request is None:
            return
        if self.ground.currentText() == IMAGE and drawn is not None:
            self.canvas.set_ground(drawn.image)
        elif self.ground.currentText() == MAP:
            self.canvas.set_ground(gan.coding.draw(request))
        else:
            colors = {each.name: each.color for each in gan.classes.values()}
            self.canvas.set_ground(sketch_map(request, colors, n_tones=gan.coding.n_tones))

    @Slot()
    def _show_boxes(self) -> None:
        if self._gan is None:
            return
        drawn, crop = self._drawn, self._crop
        requests = (drawn.wish.map_request if drawn is not None else None, crop.request if crop is not None else None)
        for view, request in zip((self.image_view, self.real_view), requests, strict=True):
            shown = request if self.boxes.isChecked() else None
            boxes = MapState.of(shown, self._gan.ids, seed=0).boxes if shown is not None else ()
            view.set_annotations(boxes, self._gan.classes, None)

    def _pixels(self, view: QWidget) -> tuple[ImageArray, str] | None:
        """What a view shows, without boxes, and a name for it."""
        if view is self.canvas:
            gan, request = self._gan, self._request
            return (gan.coding.draw(request), "map") if gan is not None and request is not None else None
        if view is self.real_view:
            return (self._crop.image, "real") if self._crop is not None else None
        return (self._drawn.image, "image") if self._drawn is not None else None

    def copy_picture(self, view: QWidget | None = None) -> None:
        """Put the generated image, or what another view shows, onto the clipboard."""
        found = self._pixels(view or self.image_view)
        if found is not None:
            QApplication.clipboard().setImage(to_picture(found[0]))

    def save_picture(self, view: QWidget | None = None) -> None:
        """Save it as PNG."""
        found = self._pixels(view or self.image_view)
        if found is not None:
            save_image(self, to_picture(found[0]), f"{found[1]}.png")

    def _on_menu_requested(self, view: MarkedView, position: QPoint, x: float, y: float) -> None:
        menu = QMenu(self)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        if view is self.canvas:
            under = view.annotation_at(x, y)
            if under is not None and under not in view.selection:
                view.set_selection((under,))
            if view.selection:
                self._add_box_actions(menu)
        menu.addAction("Fit the image to the window", view.fit)
        menu.addAction("Copy the picture", partial(self.copy_picture, view))
        menu.addAction("Save the picture…", partial(self.save_picture, view))
        menu.popup(position)

    def _add_box_actions(self, menu: QMenu) -> None:
        def choose(class_id: ClassId) -> None:
            self.class_chosen.emit(class_id)

        for each in self._gan.classes.values() if self._gan is not None else ():
            menu.addAction(f"Make it {each.name.replace('&', '&&')}", partial(choose, each.id))
        menu.addAction("Delete", self.delete_requested.emit)
        menu.addSeparator()


def _small_pyramid(image: ImageArray) -> WholePyramid:
    """An image that is shown for a moment: it needs no levels, and making them starts a thread."""
    return WholePyramid((to_picture(image),))
