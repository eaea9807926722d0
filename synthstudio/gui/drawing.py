"""The thread that owns the drawing engine: images of a generator for whoever asks, the newest wish of each first."""

from __future__ import annotations

import threading
from collections import OrderedDict, deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import shiboken6
from PySide6.QtCore import QObject, Qt, QThread, Signal, Slot
from PySide6.QtWidgets import QWidget
from typing_extensions import override

from synthstudio.core.imaging import ImageArray
from synthstudio.domain.errors import Cancelled, UserError
from synthstudio.domain.ids import RunId
from synthstudio.domain.maps import MapRequest
from synthstudio.domain.prompts import PromptRequest
from synthstudio.gui import errors
from synthstudio.project import Project

if TYPE_CHECKING:
    from synthstudio.client.drawing import Drawing as EngineDrawing
    from synthstudio.client.drawing import DrawingSession

IDLE_S = 300.0
"""After so long without a wish the engine is ended, and its memory given back; the next wish starts it again."""
_WEIGHTS = (
    *("gan.json", "generator.safetensors", "generator.onnx"),
    *("patch_diffusion.json", "denoiser.safetensors", "diffusion.json"),
)
"""Files of a run that a training replaces while it goes on; the engine is then started anew."""

WeightsState = tuple[tuple[int, int] | None, ...]
"""Time and size of each file of weights; None where there is no such file."""


@dataclass(frozen=True, slots=True)
class DrawingWish:
    """A map or a prompt of which an image is wanted: from which generator, and with which noise where it has any.

    Attributes:
        run_id: Of the generator's training; empty for a local model.
        model: Name of a local model that is asked as it is.
        checkpoint: Step of the training, for one on guide images; 0 for the last.
    """

    run_id: RunId
    request: MapRequest | PromptRequest
    seed: int = 0
    index: int = 0
    model: str = ""
    checkpoint: int = 0

    @property
    def map_request(self) -> MapRequest:
        """The map, where one was asked for. Raises TypeError where it was a prompt."""
        if not isinstance(self.request, MapRequest):
            raise TypeError("a prompt has no map")
        return self.request


@dataclass(frozen=True, slots=True, eq=False)
class Drawn:
    """The image of a wish.

    Attributes:
        image: (S, S, 3) uint8 RGB.
        engine_s: Seconds that the engine took for it.
        weights: What tells the weights from earlier and later ones of the same training.
    """

    wish: DrawingWish
    image: ImageArray
    engine_s: float
    weights: WeightsState = ()


@dataclass(frozen=True, slots=True)
class _Customer:
    """Who wishes. Known to the GUI thread alone: no other may be the last to let go of a widget."""

    owner: QObject
    done: Callable[[Drawn], object]
    failed: Callable[[Exception], object] | None

    def receive(self, drawn: Drawn) -> None:
        if shiboken6.isValid(self.owner):
            self.done(drawn)

    def hear(self, error: Exception) -> None:
        if not shiboken6.isValid(self.owner):
            return
        if self.failed is not None:
            self.failed(error)
        else:
            errors.report(error, parent=self.owner if isinstance(self.owner, QWidget) else None)


class Drawing(QThread):
    """Draws what is wished for, one image after another, in an engine of its own beside the queue of jobs.

    While a job computes on the same processor, both share it, and images come more slowly.

    Args:
        device: What it runs on: "auto", "cpu" or a device string.
        command: How the engine is started, where that is not the ordinary way; for tests.

    Signals:
        busy_changed: Whether anything is being drawn, or the engine started.
    """

    busy_changed = Signal(bool)
    _told = Signal(object)

    def __init__(
        self, parent: QObject | None = None, *, device: str = "auto", command: Sequence[str] | None = None
    ) -> None:
        super().__init__(parent)
        self.setObjectName("Drawing")
        self.device = device
        self.is_busy = False
        self._command = command
        self._folder: Path | None = None
        self._condition = threading.Condition()
        self._customers: dict[int, _Customer] = {}
        self._orders: OrderedDict[int, deque[DrawingWish]] = OrderedDict()
        self._stopping = False
        self._session: DrawingSession | None = None
        self._drawn_with: tuple[RunId, str, int, str] | None = None
        self._weights: WeightsState = ()
        self._told.connect(self._on_told, Qt.ConnectionType.QueuedConnection)

    def set_project(self, project: Project | None) -> None:
        """Draw with the GANs of this project from now on; stop it before another one comes."""
        self._folder = project.folder if project is not None else None

    @property
    def engine_pid(self) -> int | None:
        """Process id of the engine, where there is one."""
        session = self._session
        return session.pid if session is not None else None

    def draw(
        self,
        wishes: Sequence[DrawingWish],
        *,
        done: Callable[[Drawn], object],
        failed: Callable[[Exception], object] | None = None,
        owner: QObject,
    ) -> None:
        """Draw these in their order; call `done` for each, or `failed` once, in the GUI thread.

        What the same owner wished for before and is not begun yet is dropped; an image that is just being drawn still
        comes, so `done` compares its wish. After a failure the rest is dropped, too.

        Args:
            failed: Without it the window reports what went wrong.
            owner: Nothing is called any more once it has been destroyed.
        """
        number = id(owner)
        self._customers[number] = _Customer(owner, done, failed)
        with self._condition:
            self._orders.pop(number, None)
            if wishes and self._folder is not None:
                self._orders[number] = deque(wishes)
                self._condition.notify()
                if self._session is not None:
                    self._session.nudge()
        if self._orders and not self.isRunning():
            self.start()

    def is_of_these_weights(self, drawn: Drawn) -> bool:
        """Whether the GAN still has the weights that an image was made with; looks at files, from any thread."""
        return self._folder is not None and drawn.weights == _weights_state(self._folder / "runs" / drawn.wish.run_id)

    def forget(self, owner: QObject) -> None:
        """Draw nothing more for this owner, and call nothing of it any more."""
        with self._condition:
            self._orders.pop(id(owner), None)
        self._customers.pop(id(owner), None)

    def stop(self) -> None:
        """End the engine, drop all wishes, and join the thread; it may be used again."""
        with self._condition:
            self._orders.clear()
            self._stopping = True
            if self._session is not None:
                self._session.interrupt()
            self._condition.notify()
        self.wait()
        self._customers.clear()
        self._stopping = False
        self._set_busy(is_busy=False)

    @override
    def run(self) -> None:
        try:
            while (taken := self._take()) is not None:
                self._fulfil(*taken)
        finally:
            self._close_session()

    def _take(self) -> tuple[int, DrawingWish, deque[DrawingWish]] | None:
        """Wait for a wish; those who wish take turns. With whose it is, and what follows it; None at the end."""

        def is_time() -> bool:
            return self._stopping or bool(self._orders)

        while True:
            with self._condition:
                has_come = self._condition.wait_for(is_time, timeout=IDLE_S if self._session is not None else None)
                if self._stopping:
                    return None
                if has_come:
                    number, wishes = self._orders.popitem(last=False)
                    wish = wishes.popleft()
                    if wishes:
                        self._orders[number] = wishes
                    return number, wish, wishes
            self._close_session()  # not under the lock: who wishes need not wait for it

    def _fulfil(self, number: int, wish: DrawingWish, rest: deque[DrawingWish]) -> None:
        self._told.emit(partial(self._set_busy, is_busy=True))
        try:
            for answered, drawing in self._answers(number, wish, rest):
                drawn = Drawn(answered, drawing.image, drawing.seconds, self._weights)
                self._told.emit(partial(self._tell_image, number, drawn))
        except Cancelled:
            return
        except Exception as error:  # noqa: BLE001 - the thread's door: everything goes on to `failed` or the window
            with self._condition:
                if self._orders.get(number) is rest:  # not what was wished for meanwhile
                    del self._orders[number]
            self._told.emit(partial(self._tell_failure, number, error))
        with self._condition:
            if not self._orders:
                self._told.emit(partial(self._set_busy, is_busy=False))

    def _answers(
        self, number: int, wish: DrawingWish, rest: deque[DrawingWish]
    ) -> Iterator[tuple[DrawingWish, EngineDrawing]]:
        """The image of a wish, and those of newer ones in its place, as long as they come before the engine is done.

        They are sent ahead, so that the engine goes on with the newest at once instead of waiting to be told.
        """
        session = self._session_for(wish)
        sent = {session.send(wish.request, seed=wish.seed, index=wish.index): wish}
        while sent:
            answer = session.receive()
            if answer is None:
                newer = self._take_newer(number, wish, rest)
                if newer is not None:
                    sent[session.send(newer.request, seed=newer.seed, index=newer.index)] = newer
                continue
            which, made = answer
            answered = sent.get(which)
            sent = {each: sent[each] for each in sent if each > which}  # the engine drops older ones for a newer
            if isinstance(made, UserError):
                if answered is not None and not sent:
                    raise made
            elif answered is not None:
                yield answered, made

    def _take_newer(self, number: int, wish: DrawingWish, rest: deque[DrawingWish]) -> DrawingWish | None:
        """What the same owner wishes for by now in place of a single map, while nobody else wishes for anything."""
        with self._condition:
            wishes = self._orders.get(number)
            if rest or self._stopping or wishes is None or len(wishes) > 1 or len(self._orders) > 1:
                return None
            newer = wishes[0]
            is_map = isinstance(wish.request, MapRequest) and isinstance(newer.request, MapRequest)
            if not is_map or not self._is_drawn_with(newer):
                return None
            del self._orders[number]
            return newer

    def _is_drawn_with(self, wish: DrawingWish) -> bool:
        """Whether the engine that runs is the one for a wish, with the weights that there are now."""
        assert self._folder is not None
        weights = _weights_state(self._folder / "runs" / wish.run_id)
        return self._drawer_of(wish) == self._drawn_with and weights == self._weights

    def _session_for(self, wish: DrawingWish) -> DrawingSession:
        """The engine of a generator, with the weights that it has now."""
        from synthstudio.client.drawing import DrawingSession  # noqa: PLC0415 - 0.2 s that the first paint need not wait for
        from synthstudio.settings.draw import DrawSettings  # noqa: PLC0415 - likewise

        assert self._folder is not None
        if self._session is None or not self._is_drawn_with(wish):
            self._close_session()
            drawn_with, weights = self._drawer_of(wish), _weights_state(self._folder / "runs" / wish.run_id)
            settings = DrawSettings(run=str(wish.run_id), model=wish.model, checkpoint=wish.checkpoint)
            session = DrawingSession(
                self._folder, wish.run_id, device=self.device, settings=settings, command=self._command
            )
            with self._condition:
                self._session, self._drawn_with, self._weights = session, drawn_with, weights
                if self._stopping:  # `stop` came before there was anything to interrupt
                    session.interrupt()
        assert self._session is not None
        return self._session

    def _drawer_of(self, wish: DrawingWish) -> tuple[RunId, str, int, str]:
        return wish.run_id, wish.model, wish.checkpoint, self.device

    def _close_session(self) -> None:
        session, self._session = self._session, None
        if session is not None:
            session.close()

    def _tell_image(self, number: int, drawn: Drawn) -> None:
        if number in self._customers:
            self._customers[number].receive(drawn)

    def _tell_failure(self, number: int, error: Exception) -> None:
        if number in self._customers:
            self._customers[number].hear(error)

    def _set_busy(self, *, is_busy: bool) -> None:
        if is_busy != self.is_busy:
            self.is_busy = is_busy
            self.busy_changed.emit(is_busy)

    @Slot(object)
    def _on_told(self, pass_on: Callable[[], None]) -> None:
        pass_on()


def _weights_state(folder: Path) -> WeightsState:
    states: list[tuple[int, int] | None] = []
    for name in _WEIGHTS:
        try:
            status = (folder / name).stat()
        except OSError:
            states.append(None)
        else:
            states.append((status.st_mtime_ns, status.st_size))
    return tuple(states)
