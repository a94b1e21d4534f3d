"""Measure everything and print the table; `--write` puts it into docs/performance.md."""

import argparse
import asyncio
import compileall
import os
import platform
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path

import attrs

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs" / "performance.md"
START_MARK = "<!-- figures: written by make bench, don't edit -->"
END_MARK = "<!-- end of figures -->"
MEMBERS = ("core", "studio", "simulator", "plugins")


@attrs.frozen(kw_only=True)
class Effort:
    """Say how much is measured."""

    calls: int
    tap_answers: int
    tap_chunks: int
    megabytes: float
    rounds: int
    cpu_answers: int
    cpu_chunks: int
    soak: int
    leavers: int
    cancels: int
    starts: int
    uploads_mb: tuple[int, ...]
    uploads: int
    helper_calls: int
    helper_rounds: int
    page_calls: int


FULL = Effort(
    calls=50, tap_answers=2, tap_chunks=250, megabytes=8, rounds=5,
    cpu_answers=5, cpu_chunks=400, soak=240, leavers=20, cancels=20, starts=3, uploads_mb=(1, 20, 100), uploads=5,
    helper_calls=500, helper_rounds=5, page_calls=20,
)  # fmt: skip
QUICK = Effort(
    calls=3, tap_answers=1, tap_chunks=25, megabytes=2, rounds=2,
    cpu_answers=1, cpu_chunks=100, soak=6, leavers=2, cancels=2, starts=1, uploads_mb=(1,), uploads=1,
    helper_calls=20, helper_rounds=1, page_calls=2,
)  # fmt: skip


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the benchmark."""
    parser = argparse.ArgumentParser(prog="bench", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="few rounds: shows that it runs, its figures are noise")
    parser.add_argument("--soak", type=int, default=None, help="requests of the memory measurement [default: 240]")
    parser.add_argument("--write", action="store_true", help="put the table into docs/performance.md")
    options = parser.parse_args(arguments)
    effort = QUICK if options.quick else FULL
    if options.soak is not None:
        effort = attrs.evolve(effort, soak=options.soak)
    compile_members()
    start = time.perf_counter()
    report = asyncio.run(measured(effort))
    print(report)
    print(f"\nTook {time.perf_counter() - start:.0f} s.")
    if options.write:
        from scripts.bench.figures import write_between  # noqa: PLC0415 - see `measured`

        PAGE.write_text(write_between(PAGE.read_text(), START_MARK, END_MARK, report))


def compile_members() -> None:
    """Compile every member's bytecode, and let processes started from here use and write it."""
    if os.environ.pop("PYTHONDONTWRITEBYTECODE", None):
        print("PYTHONDONTWRITEBYTECODE is set; measuring without it.", file=sys.stderr)
    sys.dont_write_bytecode = False
    for member in MEMBERS:
        compileall.compile_dir(ROOT / member, quiet=1)


async def measured(effort: Effort) -> str:
    """Measure all and return the report."""
    # Only now is there bytecode of what these import.
    from scripts.bench.cancelling import measure_cancel  # noqa: PLC0415
    from scripts.bench.decoding import measure_decoding  # noqa: PLC0415
    from scripts.bench.figures import Figure, table  # noqa: PLC0415
    from scripts.bench.helper import measure_helper  # noqa: PLC0415
    from scripts.bench.latency import measure_abort, measure_overhead  # noqa: PLC0415
    from scripts.bench.page_lag import measure_page_lag  # noqa: PLC0415
    from scripts.bench.tap import measure_tap  # noqa: PLC0415
    from scripts.bench.uploads import measure_uploads  # noqa: PLC0415
    from scripts.bench.usage import measure_cpu, measure_memory, measure_start  # noqa: PLC0415
    from tests.e2e.house import running_gateway, running_simulator, write_config  # noqa: PLC0415

    figures: list[Figure] = []
    with tempfile.TemporaryDirectory(prefix="studiogate-bench-") as name, running_simulator(Path(name)) as simulator:
        folders = [Path(name) / each for each in ("one", "two", "page")]
        for folder in folders:
            folder.mkdir()
        one_tab = write_config(folders[0], simulator, {"studio": {"tabs": 1}})
        two_tabs = write_config(folders[1], simulator)
        _say("start")
        starting = measure_start(two_tabs, runs=effort.starts)
        _say("latency, aborts, cancels and CPU with one tab")
        with running_gateway(one_tab) as gateway:
            browser = str(gateway.health()["plugins"]["studio"]["details"]["browser"])
            figures += await measure_overhead(gateway, simulator, runs=effort.calls)
            leaving = await asyncio.to_thread(measure_abort, gateway, simulator, runs=effort.leavers)
            leaving += await asyncio.to_thread(measure_cancel, gateway, simulator, runs=effort.cancels)
            cpu = await asyncio.to_thread(
                measure_cpu, gateway, simulator, answers=effort.cpu_answers, chunks=effort.cpu_chunks
            )
        _say("tap to client")
        figures += await measure_tap(one_tab, simulator, answers=effort.tap_answers, chunks=effort.tap_chunks)
        figures += leaving + cpu
        _say("answers read from the page")
        with running_gateway(
            write_config(folders[2], simulator, {"studio": {"tabs": 1}}, backends=["dom_scrape"])
        ) as gateway:
            figures += await asyncio.to_thread(measure_page_lag, gateway, simulator, runs=effort.page_calls)
        _say("memory")
        with running_gateway(two_tabs) as gateway:
            figures += await asyncio.to_thread(measure_memory, gateway, simulator, soak=effort.soak)
        _say("attachments")
        uploads = measure_uploads(simulator, megabytes=effort.uploads_mb, rounds=effort.uploads)
    figures += starting + uploads
    _say("another service")
    # In a thread, since it measures on event loops of its own.
    figures += await asyncio.to_thread(measure_helper, calls=effort.helper_calls, rounds=effort.helper_rounds)
    _say("decoding")
    figures += measure_decoding(megabytes=effort.megabytes, rounds=effort.rounds)
    return f"{surroundings(browser)}\n\n{table(figures)}"


def surroundings(browser: str) -> str:
    """Return one line on when and where this was measured."""
    parts = [
        datetime.now(UTC).date().isoformat(),
        f"{os.cpu_count()} CPUs (load {os.getloadavg()[2]:.1f} in the last 15 minutes)",
        f"Python {platform.python_version()}",
        f"Chromium {browser}",
        f"mitmproxy {metadata.version('mitmproxy')}",
        f"Playwright {metadata.version('playwright')}",
        f"commit {_commit()}",
    ]
    return "Measured " + ", ".join(parts) + "."


def _commit() -> str:
    found = subprocess.run(
        ("git", "rev-parse", "--short", "HEAD"), cwd=ROOT, capture_output=True, text=True, check=False
    )
    return found.stdout.strip() or "unknown"


def _say(what: str) -> None:
    print(f"bench: {datetime.now(UTC):%T} {what}", file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
