"""Frames: the megabytes a second of scanner, JSON decoder and answer decoder, beside `json.loads` of the same body."""

import base64
import json
import random
import time
from collections.abc import Callable, Iterator

from scripts.bench.figures import Budget, Figure
from studiogate_simulator import frames
from studiogate_studio.wire import AnswerDecoder, FrameScanner, jspb

CHUNK_BYTES = 16 * 1024
"""What is fed at a time: a TLS record, the most that a tap sees at once."""
DECODING_BUDGET = Budget(limit=50, at_least=True)
_IMAGE_BYTES = 1_000_000
_MB = 1e6


def measure_decoding(*, megabytes: float, rounds: int) -> list[Figure]:
    """Measure three kinds of body, each at least `megabytes` long; the best of `rounds` counts."""
    size = int(megabytes * _MB)
    bodies = {
        "270 B text frames": text_body(270, size),
        "1 kB text frames": text_body(1000, size),
        "1 MB image frames": image_body(max(1, size // int(1.34 * _IMAGE_BYTES))),
    }
    return [figure for name, body in bodies.items() for figure in _measure(name, body, rounds)]


def text_body(frame_bytes: int, size: int) -> bytes:
    """Return an answer of `size` bytes or more, in text frames of about `frame_bytes` each."""
    usage = frames.Usage(prompt=7, answer=1234, thoughts=56)
    response_id = frames.new_response_id()
    bare = len(frames.content_frame(frames.text_part(""), usage, response_id))
    # With what answers are full of: a line break and quotes to escape, a character beyond ASCII.
    text = 'One\n"Ü" '.ljust(max(10, frame_bytes - bare - 4), "x")
    frame = frames.content_frame(frames.text_part(text), usage, response_id)
    return b"[[" + b",".join([frame] * (size // (len(frame) + 1) + 1)) + b"]]"


def image_body(count: int) -> bytes:
    """Return an answer with inline images of a million bytes, one a frame."""
    image = base64.b64encode(random.Random(0).randbytes(_IMAGE_BYTES)).decode()
    frame = frames.content_frame([None, None, ["image/png", image]], frames.Usage(prompt=7), frames.new_response_id())
    return b"[[" + b",".join([frame] * count) + b"]]"


def scan(body: bytes) -> None:
    """Find the frames."""
    scanner = FrameScanner()
    for chunk in _chunks(body):
        scanner.feed(chunk)


def scan_and_decode(body: bytes) -> None:
    """Find the frames and parse each."""
    scanner = FrameScanner()
    for chunk in _chunks(body):
        for frame in scanner.feed(chunk):
            jspb.decode(frame)


def to_events(body: bytes) -> None:
    """Make events, all that an answer's bytes go through."""
    decoder = AnswerDecoder()
    for chunk in _chunks(body):
        decoder.feed(chunk)
    decoder.close()


def _measure(name: str, body: bytes, rounds: int) -> list[Figure]:
    ways: tuple[tuple[str, Callable[[bytes], object], Budget | None], ...] = (
        ("scan", scan, None),
        ("scan + decode", scan_and_decode, DECODING_BUDGET),
        ("to events", to_events, None),
        ("json.loads of the whole", json.loads, None),
    )
    runs = f"{len(body) / _MB:.1f} MB, best of {rounds}"
    return [
        Figure(name=f"{name}: {way}", value=_speed(work, body, rounds), unit="MB/s", runs=runs, budget=budget)
        for way, work, budget in ways
    ]


def _speed(work: Callable[[bytes], object], body: bytes, rounds: int) -> float:
    times: list[float] = []
    for _ in range(rounds):
        start = time.perf_counter()
        work(body)
        times.append(time.perf_counter() - start)
    return len(body) / _MB / min(times)


def _chunks(body: bytes) -> Iterator[bytes]:
    return (body[at : at + CHUNK_BYTES] for at in range(0, len(body), CHUNK_BYTES))
