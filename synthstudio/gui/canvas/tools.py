"""What the pointer does, as small state machines: a frozen draft is replaced at each event, never mutated.

Each tool decides what a press begins; from there on a draft moves and ends the same way whichever tool began it.
Nothing here draws, emits or knows Qt: a step returns the next draft and the wishes that arose.
"""

from __future__ import annotations

from dataclasses import replace
from typing import NamedTuple, Protocol

from synthstudio.domain.ids import AnnotationId
from synthstudio.domain.records import Box
from synthstudio.gui.canvas.drafts import (
    BandDraft,
    BandWish,
    BoxDraft,
    BoxWish,
    CenterWish,
    Draft,
    LassoDraft,
    LassoWish,
    Line,
    LineDraft,
    LineWish,
    MarkPress,
    MoveDraft,
    MoveWish,
    Pointer,
    ResizeDraft,
    ResizeWish,
    SelectWish,
    Target,
    ToolName,
    Wish,
    box_between,
)

DRAG_THRESHOLD_PX = 4.0
"""Widget px that the hand may tremble before a press becomes a drag."""
MIN_BOX_PX = 1.0
"""Image px: no box is drawn or resized to less."""
LASSO_STEP_PX = 3.0
"""Widget px between the points that a lasso keeps."""


class Step(NamedTuple):
    """What an event led to."""

    draft: Draft | None
    wishes: tuple[Wish, ...] = ()


class ToolScene(Protocol):
    """What the tools may ask about the view."""

    @property
    def selection(self) -> frozenset[AnnotationId]: ...

    @property
    def image_box(self) -> Box: ...

    def box_of(self, annotation_id: AnnotationId) -> Box:
        """The box of an annotation that has one."""
        ...

    def bounds_of(self, ids: frozenset[AnnotationId]) -> Box:
        """What must stay inside the image when these move."""
        ...


def press(tool: ToolName, pointer: Pointer, target: Target, scene: ToolScene) -> Step:
    """Begin what a press of the left button means for this tool; Ctrl makes every tool select, Alt lassoes then."""
    if tool in ("ruler", "calibrate"):
        return Step(LineDraft(pointer, Line(*pointer.place * 2), calibrates=tool == "calibrate"))
    if target.handle is not None and not pointer.ctrl:
        annotation_id, handle = target.handle
        box = scene.box_of(annotation_id)
        return Step(ResizeDraft(annotation_id, handle, box, pointer, box))
    if tool == "lasso" or (pointer.alt and (tool == "select" or pointer.ctrl)):
        return Step(LassoDraft(pointer, pointer, (pointer.place,), pointer.shift))
    if tool == "select" or pointer.ctrl:
        return _press_select(pointer, target)
    if tool == "center":
        return _press_center(pointer, target, scene)
    return _press_box(pointer, target, scene)


def _press_select(pointer: Pointer, target: Target) -> Step:
    mark = target.grabbed or target.mark
    if mark is not None:
        return Step(MarkPress(mark, pointer, pointer.shift))
    return Step(BandDraft(pointer, pointer, pointer.shift))


def _press_center(pointer: Pointer, target: Target, scene: ToolScene) -> Step:
    # The wish is made at the press: a hand that slips before the release must not lose the click.
    if target.grabbed is not None:
        return Step(MarkPress(target.grabbed, pointer, pointer.shift))
    if not _is_inside(pointer, scene.image_box):
        return Step(None)
    return Step(None, (CenterWish(pointer.x, pointer.y),))


def _press_box(pointer: Pointer, target: Target, scene: ToolScene) -> Step:
    if target.grabbed is not None:
        return Step(MarkPress(target.grabbed, pointer, pointer.shift))
    return Step(
        BoxDraft(pointer, pointer, _clipped(box_between(pointer.place, pointer.place), scene.image_box), target.mark)
    )


def press_again(draft: Draft, pointer: Pointer, scene: ToolScene) -> Step:
    """Press while a draft is waiting for its second corner: the release sets it."""
    step = drag(draft, pointer, scene)
    return Step(replace(step.draft, is_pinned=False)) if isinstance(step.draft, BoxDraft) else step


def drag(draft: Draft, pointer: Pointer, scene: ToolScene) -> Step:  # noqa: PLR0911 - one answer per kind of draft
    """Carry a draft on to where the pointer is now."""
    match draft:
        case MarkPress():
            return _drag_mark(draft, pointer, scene) if _is_drag(draft.start, pointer) else Step(draft)
        case MoveDraft(bounds=bounds, start=start):
            dx, dy = _limited_shift(pointer.x - start.x, pointer.y - start.y, bounds=bounds, within=scene.image_box)
            return Step(replace(draft, dx=dx, dy=dy))
        case BandDraft():
            return Step(replace(draft, end=pointer))
        case BoxDraft(start=start):
            box = _clipped(box_between(start.place, pointer.place), scene.image_box)
            return Step(replace(draft, end=pointer, box=box))
        case LassoDraft(end=end, points=points):
            if _distance(end, pointer) < LASSO_STEP_PX:
                return Step(draft)
            return Step(replace(draft, end=pointer, points=(*points, pointer.place)))
        case LineDraft(start=start):
            return Step(replace(draft, line=Line(*start.place, *_straightened(start, pointer))))
        case ResizeDraft():
            return Step(replace(draft, box=_resized(draft, pointer, scene.image_box)))


def _drag_mark(draft: MarkPress, pointer: Pointer, scene: ToolScene) -> Step:
    """A drag moves the whole selection where the pressed mark belongs to it, else that mark alone."""
    is_selected = draft.id in scene.selection
    ids = scene.selection if is_selected else frozenset({draft.id})
    move = MoveDraft(ids, draft.start, scene.bounds_of(ids))
    return Step(drag(move, pointer, scene).draft, () if is_selected else (SelectWish(ids),))


def release(draft: Draft, pointer: Pointer, scene: ToolScene) -> Step:  # noqa: PLR0911 - one answer per kind of draft
    """End a draft where the button went up."""
    draft = drag(draft, pointer, scene).draft or draft
    match draft:
        case MarkPress(id=annotation_id, adds=adds):
            picked = frozenset({annotation_id})
            return Step(None, (SelectWish(scene.selection ^ picked if adds else picked),))
        case MoveDraft(ids=ids, dx=dx, dy=dy):
            return Step(None, (MoveWish(ids, dx, dy),) if dx or dy else ())
        case BandDraft():
            return Step(None, _band_wishes(draft, pointer))
        case BoxDraft():
            return _end_box(draft, pointer)
        case LassoDraft(points=points, adds=adds):
            if len(points) < 3:  # a click: what it hits is selected by the select tool
                return Step(None, () if adds else (SelectWish(frozenset()),))
            return Step(None, (LassoWish(points, adds),))
        case LineDraft(start=start, line=line, calibrates=calibrates):
            return Step(None, (LineWish(line, calibrates),) if _is_drag(start, pointer) else ())
        case ResizeDraft(id=annotation_id, box=box, original=original):
            return Step(None, (ResizeWish(annotation_id, box),) if box != original else ())


def _band_wishes(draft: BandDraft, pointer: Pointer) -> tuple[Wish, ...]:
    if _is_drag(draft.start, pointer):
        return (BandWish(draft.area, draft.adds),)
    return () if draft.adds else (SelectWish(frozenset()),)


def _end_box(draft: BoxDraft, pointer: Pointer) -> Step:
    """A drag draws the box; a click on a mark selects it, one beside all marks is the first of two corners."""
    if _is_drag(draft.start, pointer) and min(draft.box.width, draft.box.height) >= MIN_BOX_PX:
        return Step(None, (BoxWish(draft.box),))
    if draft.mark is not None:
        return Step(None, (SelectWish(frozenset({draft.mark})),))
    return Step(replace(draft, is_pinned=True), (SelectWish(frozenset()),))


def _resized(draft: ResizeDraft, pointer: Pointer, within: Box) -> Box:
    """Move the dragged sides by the pointer's way; a side dragged past its opposite turns the box over."""
    dx, dy = pointer.x - draft.start.x, pointer.y - draft.start.y
    original, (side_x, side_y) = draft.original, draft.handle
    box = box_between(
        (original.x0 + (dx if side_x < 0 else 0.0), original.y0 + (dy if side_y < 0 else 0.0)),
        (original.x1 + (dx if side_x > 0 else 0.0), original.y1 + (dy if side_y > 0 else 0.0)),
    )
    box = _clipped(box, within)
    return box if min(box.width, box.height) >= MIN_BOX_PX else draft.box


def _limited_shift(dx: float, dy: float, *, bounds: Box, within: Box) -> tuple[float, float]:
    # What already sticks out may stay where it is, so the limits never exclude a shift of zero.
    lowest_x, highest_x = min(within.x0 - bounds.x0, 0.0), max(within.x1 - bounds.x1, 0.0)
    lowest_y, highest_y = min(within.y0 - bounds.y0, 0.0), max(within.y1 - bounds.y1, 0.0)
    return min(max(dx, lowest_x), highest_x), min(max(dy, lowest_y), highest_y)


def _is_drag(start: Pointer, pointer: Pointer) -> bool:
    return _distance(start, pointer) >= DRAG_THRESHOLD_PX


def _distance(start: Pointer, pointer: Pointer) -> float:
    return max(abs(pointer.widget_x - start.widget_x), abs(pointer.widget_y - start.widget_y))


def _straightened(start: Pointer, pointer: Pointer) -> tuple[float, float]:
    """With Shift a line runs along one of the image's axes."""
    if not pointer.shift:
        return pointer.place
    is_level = abs(pointer.x - start.x) >= abs(pointer.y - start.y)
    return (pointer.x, start.y) if is_level else (start.x, pointer.y)


def _is_inside(pointer: Pointer, area: Box) -> bool:
    return area.x0 <= pointer.x < area.x1 and area.y0 <= pointer.y < area.y1


def _clipped(box: Box, within: Box) -> Box:
    x0, x1 = (min(max(x, within.x0), within.x1) for x in (box.x0, box.x1))
    y0, y1 = (min(max(y, within.y0), within.y1) for y in (box.y0, box.y1))
    return Box(x0, y0, x1, y1)
