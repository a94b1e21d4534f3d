"""The command line's log, each in a process of its own: what is configured there holds for a whole process."""

import json
import logging
import os
import pty
import subprocess
import sys
import textwrap
from pathlib import Path
from typing import Any

import pytest

from studiogate.config import Config
from studiogate.errors import ConfigurationError
from studiogate.logs import formatter, on_loop_error
from studiogate.settings import LOG_LEVELS

PREPARED = """
import asyncio, gc, logging, sys, threading, warnings
import structlog
from studiogate import logs

logs.configure()
own = logging.getLogger("studiogate.test")
"""


KNOWN = f"must be one of {', '.join(LOG_LEVELS)}"


def written(script: str) -> list[dict[str, Any]]:
    """Run a script with a configured log; return the lines it wrote, each of which must be a JSON object."""
    ended = subprocess.run(
        [sys.executable, "-c", PREPARED + textwrap.dedent(script)],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert ended.stdout == ""
    return [json.loads(line) for line in ended.stderr.splitlines()]


def on_a_terminal(script: str, **environ: str) -> str:
    """Run a script with a terminal for standard error; return what the terminal got."""
    ours, theirs = pty.openpty()
    kept = {name: value for name, value in os.environ.items() if name != "NO_COLOR"}
    subprocess.run(
        [sys.executable, "-c", PREPARED + textwrap.dedent(script)],
        stderr=theirs,
        env={**kept, "TERM": "xterm", **environ},
        timeout=60,
        check=True,
    )
    said = os.read(ours, 65536).decode()
    os.close(theirs)
    os.close(ours)
    return said


def formatted(record: logging.LogRecord, *, human: bool = False) -> Any:
    """Return a record's line: read, if it is JSON."""
    line = formatter(human=human).format(record)
    return line if human else json.loads(line)


def record(message: str, *arguments: object, name: str = "studiogate.test", **attributes: Any) -> logging.LogRecord:
    """Make a record as the standard library does."""
    made = logging.makeLogRecord({"name": name, "levelno": logging.INFO, "levelname": "INFO", "msg": message})
    made.args = arguments
    made.__dict__.update(attributes)
    return made


def test_without_a_terminal_each_record_is_a_json_object() -> None:
    """Time in UTC, level, logger and event come first, whichever library the record was written with."""
    lines = written("""
        own.info("%d tabs", 2)
        structlog.get_logger("studiogate.other").warning("gone", tab=3)
    """)

    assert [list(line)[:4] for line in lines] == [["timestamp", "level", "logger", "event"]] * 2
    assert all(line.pop("timestamp").endswith("Z") for line in lines)
    assert lines == [
        {"level": "info", "logger": "studiogate.test", "event": "2 tabs"},
        {"level": "warning", "logger": "studiogate.other", "event": "gone", "tab": 3},
    ]


def test_a_terminal_gets_lines_for_people() -> None:
    """Coloured ones, unless NO_COLOR says no."""
    script = 'own.warning("%d tabs", 2)'
    coloured, plain = on_a_terminal(script), on_a_terminal(script, NO_COLOR="1")

    assert "\x1b[" in coloured
    assert "2 tabs" in coloured
    assert "\x1b[" not in plain
    assert plain.split(maxsplit=2)[2].strip() == "[warning  ] 2 tabs [studiogate.test]"


def test_fields_stand_beside_the_event() -> None:
    """A record may bring its values, for a machine as they are; its text is for who has a log of their own."""
    made = record("request id=req_1", event="request", fields={"id": "req_1", "total_s": 1.5})

    assert made.getMessage() == "request id=req_1"
    assert formatted(made).items() >= {"event": "request", "id": "req_1", "total_s": 1.5}.items()
    assert "request [studiogate.test] id=req_1 total_s=1.5" in formatted(made, human=True)


def test_others_words_dont_steer_the_terminal() -> None:
    """Escape sequences and other control characters are replaced; lines and tabs stay."""
    line = formatted(record("a\x1b[31m\r%s", "b\n\tc", event="x", fields={"model": "\x07"}), human=True)

    assert "\x1b" not in line
    assert "\x07" not in line
    assert "\r" not in line
    assert "b\n\tc" in formatted(record("a %s", "b\n\tc"), human=True)


@pytest.mark.parametrize(
    "quoted",
    [b"se-cret", b"it's se-cret", b'"se-cret" \xff\\', b"'se-cret'\""],
)
def test_libraries_quote_no_bytes(quoted: bytes) -> None:
    """What passes a library may be a prompt; our own lines are ours to answer for."""
    message = "Unexpected data from server: %r, then %s"

    line = formatted(record(message, quoted, quoted.hex() * 8, name="mitmproxy.proxy.server"))
    assert line["event"] == "Unexpected data from server: <bytes>, then <bytes>"
    assert "se-cret" in formatted(record(message, quoted, 1))["event"]


@pytest.mark.parametrize(
    ("level", "heard"),
    [
        ("trace", ["own debug", "plugin debug", "mitmproxy debug", "own info", "own warning", "own error"]),
        ("debug", ["own debug", "plugin debug", "own info", "own warning", "own error"]),
        ("info", ["own info", "own warning", "own error"]),
        ("warning", ["own warning", "own error"]),
        ("error", ["own error"]),
    ],
)
def test_the_level_says_who_is_heard(level: str, heard: list[str]) -> None:
    """The gateway and its plugins from that level on; libraries only warn, but for those that `trace` lets speak."""
    lines = written(f"""
        logs.set_level("{level}")
        own.debug("own debug")
        logging.getLogger("studiogate_studio.tabs").debug("plugin debug")
        logging.getLogger("mitmproxy.proxy").debug("mitmproxy debug")
        logging.getLogger("hpack.hpack").debug("cookies")
        logging.getLogger("unheard.of").info("something")
        own.info("own info")
        own.warning("own warning")
        own.error("own error")
    """)

    assert [line["event"] for line in lines] == heard


def test_libraries_warn_and_warnings_are_records() -> None:
    """What a library warns of is the operator's to know, in the log's form."""
    first, second = written("""
        logging.getLogger("unheard.of").warning("careful")
        warnings.warn("very careful")
    """)

    assert first["event"] == "careful"
    assert "UserWarning: very careful" in second["event"]


def test_the_level_can_be_lowered_again() -> None:
    """Nothing of `trace` stays."""
    assert [line["event"] for line in written("""
        logs.set_level("trace")
        logs.set_level("info")
        logging.getLogger("mitmproxy").debug("mitmproxy debug")
        own.debug("own debug")
        own.info("own info")
    """)] == ["own info"]  # fmt: skip


@pytest.mark.parametrize("how", ["own.exception('failed')", "structlog.get_logger('studiogate.x').exception('failed')"])
def test_an_exceptions_message_isnt_written(how: str) -> None:
    """It may quote a prompt; kind and place are written."""
    (line,) = written(f"""
        try:
            [].remove("se-cret")
        except ValueError as error:
            secret = "se-" + "cret"
            try:
                raise RuntimeError(secret) from error
            except RuntimeError:
                {how}
    """)

    assert line["event"] == "failed"
    assert [each for each in line["exception"].splitlines() if not each.startswith(" ")] == [
        "ValueError",
        "which led to",
        "RuntimeError",
    ]


def test_what_nobody_awaited_is_told_without_its_message() -> None:
    """Of a task that failed unseen, and of a callback: whose, where, which kind; no message, argument or repr."""
    task, callback = written("""
        secret = "se-" + "cret"

        async def fails():
            raise ValueError(secret)

        async def main():
            asyncio.create_task(fails(), name="req_7")
            asyncio.get_running_loop().call_soon(lambda text: text.nothing, secret)
            await asyncio.sleep(0.01)
            gc.collect()

        logs.run(main(), level="info")
    """)

    assert task["event"] == "Task exception was never retrieved (req_7)"
    assert callback["event"] == "Exception in callback main.<locals>.<lambda>"
    assert [each["exception"].splitlines()[-1] for each in (task, callback)] == ["ValueError", "AttributeError"]
    assert "se-cret" not in str(task) + str(callback)


def test_an_error_of_the_loop_needs_no_exception(caplog: pytest.LogCaptureFixture) -> None:
    """Some of asyncio's complaints are only words."""
    on_loop_error(None, {"message": "Unclosed transport (se-cret)"})  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]

    assert [each.getMessage() for each in caplog.records] == ["Unclosed transport"]


def test_a_commands_work_returns_what_it_returns() -> None:
    """`run` is `asyncio.run` with a log."""
    (line,) = written("""
        async def main():
            return 7

        own.info("%d", logs.run(main(), level="info"))
    """)

    assert line["event"] == "7"


def test_what_the_interpreter_reports_is_a_record() -> None:
    """A crash, an error in a thread and one in a finalizer go to the log, without their messages."""
    lines = written("""
        secret = "se-" + "cret"

        class Finalized:
            def __del__(self):
                raise ValueError(secret)

        def fails():
            raise KeyError(secret)

        Finalized()
        thread = threading.Thread(target=fails)
        thread.start()
        thread.join()
        raise RuntimeError(secret)
    """)

    assert [(line["level"], line["exception"].splitlines()[-1]) for line in lines] == [
        ("error", "ValueError"),
        ("error", "KeyError"),
        ("critical", "RuntimeError"),
    ]
    assert "se-cret" not in str(lines)


def test_importing_the_gateway_configures_nothing() -> None:
    """Who embeds it keeps their own log, structlog's included."""
    script = (
        "import logging, sys, structlog\n"
        "import studiogate.logs, studiogate.gateway, studiogate.web.server, studiogate.cli\n"
        "assert logging.getLogger().handlers == [] and not structlog.is_configured()\n"
        "assert logging.getLogger('studiogate').level == logging.NOTSET and sys.excepthook is sys.__excepthook__\n"
    )
    subprocess.run([sys.executable, "-c", script], check=True, timeout=60)


@pytest.mark.parametrize(
    ("environ", "level"),
    [
        ({}, "info"),
        ({"SERVER_LOG_LEVEL": "DEBUG"}, "debug"),
        ({"SERVER_LOG_LEVEL": "warn"}, "warning"),
        ({"SERVER_LOG_LEVEL": "CRITICAL"}, "error"),
        ({"DEBUG_LOGS_ENABLED": "true"}, "debug"),
        ({"DEBUG_LOGS_ENABLED": "true", "SERVER_LOG_LEVEL": "INFO"}, "debug"),
        ({"DEBUG_LOGS_ENABLED": "false", "SERVER_LOG_LEVEL": "WARNING"}, "warning"),
        ({"TRACE_LOGS_ENABLED": "true"}, "trace"),
        ({"TRACE_LOGS_ENABLED": "true", "DEBUG_LOGS_ENABLED": "true", "SERVER_LOG_LEVEL": "DEBUG"}, "trace"),
        ({"TRACE_LOGS_ENABLED": "false", "DEBUG_LOGS_ENABLED": "false"}, "info"),
        ({"TRACE_LOGS_ENABLED": "true", "STUDIOGATE_GATEWAY_LOG_LEVEL": "error"}, "error"),
    ],
)
def test_the_older_guides_variables_set_the_level(environ: dict[str, str], level: str) -> None:
    """Each says it in its own way; of several the one that asks for most counts."""
    made = Config(path=Path("/plugins.toml"), plugins=(), tables={}, environ=environ)

    assert made.gateway.log_level == level


@pytest.mark.parametrize(
    ("environ", "message"),
    [
        (
            {"SERVER_LOG_LEVEL": "loud"},
            f"environment variable SERVER_LOG_LEVEL: [gateway] log_level: must be one of {', '.join(LOG_LEVELS)}.",
        ),
        ({"DEBUG_LOGS_ENABLED": "2"}, "environment variable DEBUG_LOGS_ENABLED: must be true or false, not '2'."),
    ],
)
def test_a_wrong_level_is_named_with_its_variable(environ: dict[str, str], message: str) -> None:
    """The message says which levels there are."""
    with pytest.raises(ConfigurationError) as refusal:
        _ = Config(path=Path("/plugins.toml"), plugins=(), tables={}, environ=environ).gateway

    assert str(refusal.value) == message


def test_a_stream_can_be_given() -> None:
    """For a command whose standard error is somebody else's."""
    script = "import io\nout = io.StringIO()\nlogs.configure(out)\nown.info('there')\nassert 'there' in out.getvalue()"

    assert written(script) == []
