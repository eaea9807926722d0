"""Requests and commands go to the engine, events come back. One closed union each; extra keys are refused."""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter

from synthstudio.domain.prompts import SchedulerName
from synthstudio.protocol.results import AnyResult
from synthstudio.settings.registry import AnyRequestSettings

PROTOCOL_VERSION = 1


class Message(BaseModel):
    """Base of everything that crosses the pipe."""

    # A loss may become NaN; JSON has no word for it, a string is read back as the float.
    model_config = ConfigDict(frozen=True, extra="forbid", ser_json_inf_nan="strings")


class JobRequest(Message):
    """The first line that the engine reads.

    Attributes:
        project: Absolute path of the project folder; the engine opens it read-only.
        run_dir: Absolute path of the run's folder, which exists.
        device: "auto", "cpu" or a device string such as "cuda:0".
        resume: Continue from the run's last checkpoint.
    """

    version: int = PROTOCOL_VERSION
    run_id: str
    project: str
    run_dir: str
    settings: AnyRequestSettings
    device: str = "auto"
    resume: bool = False


class Cancel(Message):
    """Please stop between two steps."""

    command: Literal["cancel"] = "cancel"


class SaveCheckpoint(Message):
    """Please write a checkpoint now."""

    command: Literal["save_checkpoint"] = "save_checkpoint"


class DrawnRegion(Message):
    """One region of a map: its condition, and its box in px of the map."""

    class_name: str
    box: tuple[float, float, float, float]


class DrawMap(Message):
    """Please make the image of this map, where no newer one has come by then; for a draw job.

    Attributes:
        number: Comes back with the image; each request has a higher one than the last.
        tone: Level of the tone scale, from 1; 0 where it is not known.
        regions: In the order in which they are drawn.
        seed: Of the generator's noise, with `index`.
    """

    command: Literal["draw_map"] = "draw_map"
    number: int
    side: int
    tone: int
    regions: tuple[DrawnRegion, ...]
    seed: int = 0
    index: int = 0


class DrawnPlace(Message):
    """The real picture that an image starts from; see `PromptPlace`. Boxes in px of the FOV."""

    fov: int
    window: tuple[float, float, float, float]
    box: tuple[float, float, float, float] | None = None
    strength: float


class DrawPrompt(Message):
    """Please make an image of this prompt, where no newer one has come by then; for a draw job. See `PromptRequest`.

    Attributes:
        number: Comes back with the image; each request has a higher one than the last.
        seed: Of the noise, with `index`.
    """

    command: Literal["draw_prompt"] = "draw_prompt"
    number: int
    prompt: str
    side: int
    negative: str = ""
    steps: int
    guidance: float
    scheduler: SchedulerName
    place: DrawnPlace | None = None
    seed: int = 0
    index: int = 0


Command = Cancel | SaveCheckpoint | DrawMap | DrawPrompt
AnyCommand = Annotated[Command, Field(discriminator="command")]


class JobStarted(Message):
    """The job runs. `device` is in words, `versions` what the result depends on."""

    event: Literal["started"] = "started"
    device: str
    versions: dict[str, str]


class StageChanged(Message):
    """A new part of the work begins, in words for the user."""

    event: Literal["stage"] = "stage"
    text: str


class Progress(Message):
    """`done` of `total` steps of the present stage."""

    event: Literal["progress"] = "progress"
    done: int
    total: int


class MetricLogged(Message):
    """One value of a curve, for example `f1/RBC` at step 200."""

    event: Literal["metric"] = "metric"
    name: str
    step: int
    value: float


class PreviewReady(Message):
    """A small picture of what is being made. `png` is base64."""

    event: Literal["preview"] = "preview"
    caption: str
    png: str


class RecordsChanged(Message):
    """Files of these record kinds are complete and can be read.

    Attributes:
        fov_ids: Whose they are, where they are those of single FOVs: the host enters what is in them as they come.
    """

    event: Literal["records"] = "records"
    kinds: tuple[str, ...]
    fov_ids: tuple[int, ...] = ()


class WarningRaised(Message):
    """Something that the user should know but that does not stop the job."""

    event: Literal["warning"] = "warning"
    text: str


class ImageDrawn(Message):
    """The image of the map of this number.

    Attributes:
        side: Of the square image, in px.
        pixels: Its RGB bytes row by row, as base64: encoding them as PNG would cost more time than it saves.
        seconds: That it took, from the map to the bytes.
    """

    event: Literal["drawn"] = "drawn"
    number: int
    side: int
    pixels: str
    seconds: float


class DrawingRefused(Message):
    """The map of this number cannot be drawn; the job goes on. The reason is in the user's words."""

    event: Literal["drawing_refused"] = "drawing_refused"
    number: int
    message: str
    hint: str = ""


class JobFinished(Message):
    """The end, with the result."""

    event: Literal["finished"] = "finished"
    result: AnyResult


class JobCancelled(Message):
    """The end, as was asked for. `how`: politely, terminated or killed."""

    event: Literal["cancelled"] = "cancelled"
    how: Literal["politely", "terminated", "killed"] = "politely"


class JobFailed(Message):
    """The end, with the reason and the next step in the user's words. `traceback` is for the log only."""

    event: Literal["failed"] = "failed"
    message: str
    hint: str = ""
    traceback: str = ""


AnyEvent = (
    JobStarted
    | StageChanged
    | Progress
    | MetricLogged
    | PreviewReady
    | RecordsChanged
    | WarningRaised
    | ImageDrawn
    | DrawingRefused
    | JobFinished
    | JobCancelled
    | JobFailed
)
JobEvent = Annotated[AnyEvent, Field(discriminator="event")]
JobOutcome = JobFinished | JobCancelled | JobFailed

_events: TypeAdapter[AnyEvent] = TypeAdapter(JobEvent)
_commands: TypeAdapter[Command] = TypeAdapter(AnyCommand)


def encode(message: Message) -> bytes:
    """Return the message as one line of JSON, newline included."""
    return message.model_dump_json().encode() + b"\n"


def decode_event(line: bytes) -> AnyEvent:
    """Read one event. Raises ValueError where the line is none."""
    return _events.validate_json(line)


def decode_command(line: bytes) -> Command:
    """Read one command. Raises ValueError where the line is none."""
    return _commands.validate_json(line)


def decode_request(line: bytes) -> JobRequest:
    """Read a request. Raises ValueError where the line is none."""
    return JobRequest.model_validate_json(line)
