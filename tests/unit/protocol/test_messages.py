"""What crosses the pipe arrives as it was sent."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from synthstudio.protocol.messages import (
    AnyEvent,
    Cancel,
    Command,
    DrawingRefused,
    DrawMap,
    DrawnRegion,
    ImageDrawn,
    JobCancelled,
    JobFailed,
    JobFinished,
    JobRequest,
    JobStarted,
    MetricLogged,
    PreviewReady,
    Progress,
    RecordsChanged,
    SaveCheckpoint,
    StageChanged,
    WarningRaised,
    decode_command,
    decode_event,
    decode_request,
    encode,
)
from synthstudio.protocol.results import ComposeResult, TrainResult
from synthstudio.settings.base import JobSettings
from synthstudio.settings.draw import DrawSettings
from synthstudio.settings.registry import SETTINGS_BY_KIND, SETTINGS_BY_RECIPE_KIND

# Lone surrogates cannot be encoded as UTF-8: no message holds any.
texts = st.text(st.characters(exclude_categories=["Cs"]))
counts = st.integers(0, 2**53)
finite = st.floats(allow_nan=False, allow_infinity=False)
results = st.one_of(
    st.builds(
        ComposeResult,
        kind=st.just("compose"),
        set=texts,
        n_images=counts,
        n_objects=st.dictionaries(texts, counts, max_size=3),
        seconds=finite,
        sha256=texts,
        project_state=texts,
    ),
    st.builds(
        TrainResult,
        kind=st.just("train-classifier"),
        run=texts,
        status=texts,
        seconds=finite,
        best=st.dictionaries(texts, st.none() | finite, max_size=3),
        warnings=st.tuples(texts),
    ),
)
events = st.one_of(
    st.builds(JobStarted, event=st.just("started"), device=texts, versions=st.dictionaries(texts, texts, max_size=3)),
    st.builds(StageChanged, event=st.just("stage"), text=texts),
    st.builds(Progress, event=st.just("progress"), done=counts, total=counts),
    st.builds(MetricLogged, event=st.just("metric"), name=texts, step=counts, value=st.floats(allow_nan=False)),
    st.builds(PreviewReady, event=st.just("preview"), caption=texts, png=texts),
    st.builds(RecordsChanged, event=st.just("records"), kinds=st.tuples(texts, texts)),
    st.builds(WarningRaised, event=st.just("warning"), text=texts),
    st.builds(ImageDrawn, event=st.just("drawn"), number=counts, side=counts, pixels=texts, seconds=finite),
    st.builds(DrawingRefused, event=st.just("drawing_refused"), number=counts, message=texts, hint=texts),
    st.builds(JobFinished, event=st.just("finished"), result=results),
    st.builds(JobCancelled, event=st.just("cancelled"), how=st.sampled_from(["politely", "terminated", "killed"])),
    st.builds(JobFailed, event=st.just("failed"), message=texts, hint=texts, traceback=texts),
)


@given(events)
def test_that_every_event_survives_the_pipe_on_one_line(event: AnyEvent) -> None:
    line = encode(event)
    assert line.endswith(b"\n")
    assert line.count(b"\n") == 1
    assert decode_event(line) == event


def test_that_a_loss_without_a_number_survives_the_pipe() -> None:
    decoded = decode_event(encode(MetricLogged(name="loss", step=1, value=math.nan)))
    assert isinstance(decoded, MetricLogged)
    assert math.isnan(decoded.value)


@pytest.mark.parametrize(
    "command",
    [
        Cancel(),
        SaveCheckpoint(),
        DrawMap(
            number=7,
            side=64,
            tone=3,
            regions=(DrawnRegion(class_name="mole", box=(0.1, 2.0, 30.25, 64.0)),),
            seed=2**31 - 1,
            index=5,
        ),
    ],
)
def test_that_every_command_survives_the_pipe(command: Command) -> None:
    assert decode_command(encode(command)) == command


@pytest.mark.parametrize("model", SETTINGS_BY_KIND.values(), ids=SETTINGS_BY_KIND)
def test_that_a_request_of_every_kind_survives_the_pipe(model: type[JobSettings]) -> None:
    settings = model(kind=str(model.model_fields["kind"].default), seed=7)
    request = JobRequest.model_validate(
        {"run_id": "r1", "project": "/p", "run_dir": "/p/runs/r1", "settings": settings.model_dump()}
    )
    decoded = decode_request(encode(request))
    assert decoded == request
    assert decoded.settings == settings


def test_that_a_request_to_draw_survives_the_pipe_and_is_no_recipe() -> None:
    request = JobRequest(run_id="draw", project="/p", run_dir="/tmp/d", settings=DrawSettings(run="train-gan-1"))
    assert decode_request(encode(request)) == request
    assert "draw" not in SETTINGS_BY_RECIPE_KIND


@given(st.binary(max_size=200))
def test_that_no_bytes_pass_for_an_event_by_accident(line: bytes) -> None:
    with pytest.raises(ValueError, match="validation error"):
        decode_event(line)


@pytest.mark.parametrize(
    "line", [b'{"event": "progress", "done": 1, "total": 2, "more": 3}', b'{"event": "new"}', b"1"]
)
def test_that_an_event_with_strange_keys_is_refused(line: bytes) -> None:
    with pytest.raises(ValueError, match="validation error"):
        decode_event(line)
