import io
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.protocol import codec, commands, events
from engine.protocol.assets import Asset
from engine.protocol.derivation import Derivation, Source
from engine.protocol.errors import ErrorInfo, ProtocolError
from tests.fakes.recipes import picture_recipe, recipes

COMMANDS = [
    commands.Hello(1, "0.1.0"),
    commands.Generate("j", picture_recipe(), "/models/m", "/out", "stem", input_files=(Asset("a.png", "ab" * 32),)),
    commands.Derive("j", Derivation("upscale", Source("a.png", "ab"), {"scale": 2}), Asset("a.png"), "/out", "stem"),
    commands.AssetChunk("ab" * 32, 0, 9),
    commands.AssetRefused("ab" * 32, ErrorInfo("BadFile", "a.")),
    commands.Cancel("j"),
    commands.Preload("/models/m"),
    commands.Ping(7),
    commands.Shutdown(),
]
EVENTS = [
    events.EngineHello(1, "0.1.0"),
    events.AssetWanted("ab" * 32, 7),
    events.ResultChunk("j", 0),
    events.EngineReady(events.DeviceInfo("cpu", "CPU", 1), {"torch": "2"}, 2, 3.5),
    events.EngineWarming("Loading"),
    events.MemoryChanged(1, 2, 3),
    events.JobStarted("j"),
    events.StageChanged("j", "loading", 0.5),
    events.StepDone("j", 1, 4, 0.1, 0.3),
    events.PreviewReady("j", 1, 64, 48, 3),
    events.JobFinished("j", (events.OutputFile("/a.png", "00"),), {"denoising": 1.0}),
    events.JobCancelled("j"),
    events.JobFailed("j", ErrorInfo("OutOfMemory", "a.", "b.")),
    events.Preloaded("/m", None),
    events.Pong(7),
    events.Pulse(5, 0.5),
    events.JobResumed("j", 3, 9),
    events.ResumeRefused("j", ErrorInfo("BadRecipe", "a.")),
    events.PlanLowered("j", "denoising", "It goes on."),
    events.JobNoted("j", "It goes on as usual."),
    events.CheckpointSaved("j", 3, 9, 1024),
    events.CommandRefused(ErrorInfo("BadRecipe", "a.")),
]


def kind(message: object) -> str:
    return type(message).__name__


@pytest.mark.parametrize("command", COMMANDS, ids=kind)
def test_every_command_arrives_as_it_was_sent(command) -> None:
    header, blob = codec.read_frame(io.BytesIO(codec.encode(command)))
    assert (codec.decode_command(header), blob) == (command, b"")


@pytest.mark.parametrize("event", EVENTS, ids=kind)
def test_every_event_arrives_as_it_was_sent(event) -> None:
    header, blob = codec.read_frame(io.BytesIO(codec.encode(event, b"\xff\xd8jpeg")))
    assert (codec.decode_event(header), blob) == (event, b"\xff\xd8jpeg")


def test_every_message_has_its_test() -> None:
    assert {type(command) for command in COMMANDS} == set(commands.Command.__args__)
    assert {type(event) for event in EVENTS} == set(events.Event.__args__)


@given(recipes, st.binary(max_size=100))
def test_any_recipe_crosses_unchanged(recipe, blob: bytes) -> None:
    sent = commands.Generate("j", recipe, "m", "o", "s")
    header, received = codec.read_frame(io.BytesIO(codec.encode(sent, blob)))
    assert codec.decode_command(header) == sent
    assert received == blob


def test_messages_follow_each_other_also_in_small_pieces() -> None:
    class Dripping(io.RawIOBase):
        """Gives one byte at a time, as a pipe may."""

        def __init__(self, data: bytes) -> None:
            self._rest = io.BytesIO(data)

        def read(self, size: int = -1) -> bytes:
            return self._rest.read(min(size, 1))

    stream = Dripping(b"".join(codec.encode(command) for command in COMMANDS))
    assert [codec.decode_command(codec.read_frame(stream)[0]) for _ in COMMANDS] == COMMANDS
    assert codec.read_frame(stream) is None


def test_a_stream_cut_anywhere_is_an_end_or_an_error() -> None:
    whole = codec.encode(events.PreviewReady("j", 1, 64, 48, 3), b"blob")
    assert codec.read_frame(io.BytesIO(b"")) is None
    for length in range(1, len(whole)):
        with pytest.raises(ProtocolError, match="ended in the middle"):
            codec.read_frame(io.BytesIO(whole[:length]))


@pytest.mark.parametrize("lengths", [(0xFFFFFFFF, 0), (0, 0xFFFFFFFF), (codec.MAX_HEADER + 1, 0)])
def test_an_absurd_length_is_refused_before_anything_is_read(lengths: tuple[int, int]) -> None:
    with pytest.raises(ProtocolError, match="absurd"):
        codec.read_frame(io.BytesIO(struct.pack(">II", *lengths) + b"x" * 100))


@given(st.binary(max_size=300))
def test_random_bytes_are_a_frame_or_a_protocol_error(data: bytes) -> None:
    stream = io.BytesIO(data)
    try:
        while (frame := codec.read_frame(stream)) is not None:
            codec.decode_event(frame[0])
    except ProtocolError as error:
        assert error.exit_code == 1


@given(st.binary(max_size=200))
def test_random_headers_are_refused(header: bytes) -> None:
    with pytest.raises(ProtocolError):
        codec.decode_command(header)
    with pytest.raises(ProtocolError):
        codec.decode_event(header)


@pytest.mark.parametrize(
    "header", [b"[" * 200_000, b'{"type":"Nonsense"}', b'{"type":"Cancel"}', b'{"type":"Cancel","job":1}']
)
def test_a_message_of_the_wrong_shape_is_refused(header: bytes) -> None:
    with pytest.raises(ProtocolError):
        codec.decode_command(header)


def test_what_is_too_large_is_not_sent() -> None:
    with pytest.raises(ProtocolError, match="too large"):
        codec.encode(commands.Cancel("x" * (codec.MAX_HEADER + 1)))
