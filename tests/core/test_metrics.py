import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
from prometheus_client.parser import text_string_to_metric_families

from studiogate import hookimpl
from studiogate.attachments import Attachment, AttachmentRef
from studiogate.errors import Unavailable
from studiogate.events import TextDelta, Usage
from studiogate.metrics import Kind, Metric
from studiogate.scrape import MOST_VALUES
from studiogate.tools import FunctionDeclaration, ToolError, ToolPlan

from .backends import CALLED, STOP, Playing, Served, backend, call, says, serving, until, yields

METRICS_PATH = "/metrics"
KEY = "sk-for-metrics-1234"


def samples(text: str) -> dict[tuple[str, frozenset[tuple[str, str]]], float]:
    """Read an exposition: the value of each series, by name and labels."""
    return {
        (sample.name, frozenset(sample.labels.items())): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


async def shown(served: Served) -> "Shown":
    """Scrape a gateway."""
    response = await served.http.get(METRICS_PATH)
    assert response.status_code == 200
    return Shown(samples(response.text))


class Shown:
    """What a scrape showed."""

    def __init__(self, series: Mapping[tuple[str, frozenset[tuple[str, str]]], float]) -> None:
        self.series = series

    def value(self, name: str, **labels: str) -> float:
        """Return the sum of all series of a name that have these labels; 0 if there are none."""
        wanted = set(labels.items())
        return math.fsum(value for (each, has), value in self.series.items() if each == name and wanted <= has)

    def labels(self, name: str, label: str) -> set[str]:
        """Return the values that a label has."""
        return {dict(has)[label] for each, has in self.series if each == name}


class Telling:
    """Tell what a test wants told."""

    told: Any = ()

    @hookimpl
    def metrics(self) -> Any:
        """Tell it, or raise it."""
        if isinstance(self.told, Exception):
            raise self.told
        return self.told


def telling(told: Any) -> type:
    """Make a plugin that tells this."""
    return type("Telling", (Telling,), {"told": told})


class Files:
    """Take every reference for a picture of three bytes."""

    @hookimpl
    async def resolve_attachments(
        self, refs: Sequence[AttachmentRef], workdir: Path
    ) -> Mapping[AttachmentRef, Attachment]:
        """Take them."""
        path = workdir / "cat.png"
        path.write_bytes(b"cat")
        return {ref: Attachment(ref=ref, path=path, mime="image/png", filename=path.name, size=3) for ref in refs}


class Tools:
    """Have three tools, of which one works."""

    @hookimpl
    async def map_tools(self) -> ToolPlan:
        """Offer them."""

        async def works(_: str) -> str:
            return "done"

        async def fails(_: str) -> str:
            raise ToolError("no")

        async def breaks(_: str) -> str:
            raise ValueError

        executors = {"works": works, "fails": fails, "breaks": breaks}
        return ToolPlan(functions=tuple(FunctionDeclaration(name=name) for name in executors), executors=executors)


async def test_requests_are_counted_by_route_and_never_by_the_path_asked_for() -> None:
    """What a client makes up can't become a series of its own."""
    async with serving({"a": backend(says("Hello"), "test-model")}) as served:
        for path in ("/secret-1", "/secret-2", "/v1/models/secret-3", "/v1/models/secret-4"):
            await served.http.get(path)
        await served.http.request("SECRET", "/health")
        found = await shown(served)

    assert found.value("studiogate_requests_total", endpoint="other", status="404") == 2
    assert found.value("studiogate_requests_total", endpoint="GET /v1/models/{model_id}", status="404") == 2
    assert found.value("studiogate_requests_total", endpoint="other", status="405") == 1
    assert not [each for each in found.series if "secret" in str(each).lower()]


async def test_a_model_that_nobody_lists_is_not_named() -> None:
    """Its id is the client's own words."""
    usage = Usage(prompt=3, completion=2, reasoning=1)

    class Takes:
        @hookimpl
        def takes_model(self) -> bool:
            """Take any."""
            return True

    plugins = {"takes": Takes, "a": backend(yields(TextDelta(text="Hi"), usage, STOP), "listed")}
    async with serving(plugins) as served:
        for model in ("listed", "my-secret"):
            assert (await served.chat(model=model)).status_code == 200
        await until(lambda: not served.gateway.queue.running)
        found = await shown(served)

    assert found.labels("studiogate_tokens_total", "model") == {"listed", "other"}
    assert found.value("studiogate_tokens_total", kind="reasoning") == 2


async def test_a_key_is_needed_where_there_are_keys(tmp_path: Path) -> None:
    """As for chats; the numbers say how much a gateway is used, and by which backends."""
    keys = tmp_path / "keys.txt"
    keys.write_text(f"{KEY}\n")
    keys.chmod(0o600)
    async with serving({"a": backend(says("Hello"))}, keys_file=str(keys)) as served:
        without = await served.http.get(METRICS_PATH)
        having = await served.http.get(METRICS_PATH, headers={"authorization": f"Bearer {KEY}"})

    assert (without.status_code, having.status_code) == (401, 200)
    assert KEY not in having.text


async def test_open_metrics_are_given_to_who_asks_for_them() -> None:
    """Prometheus asks for the newer format."""
    async with serving({"a": backend(says("Hello"))}) as served:
        newer = await served.http.get(METRICS_PATH, headers={"accept": "application/openmetrics-text; version=1.0.0"})

    assert newer.headers["content-type"].startswith("application/openmetrics-text")
    assert newer.text.endswith("# EOF\n")


async def test_a_breaker_s_state_and_the_queue_are_shown() -> None:
    """As they stand at the scrape."""
    states = ("closed", "open", "half_open")
    plugins = {"broken": backend(yields(Unavailable("broken"))), "a": backend(says("Hello"))}
    async with serving(plugins, breaker_failures=1, slots=3) as served:
        await served.chat()
        found = await shown(served)

    assert [found.value("studiogate_breaker_state", backend="broken", state=each) for each in states] == [0, 1, 0]
    assert found.value("studiogate_breaker_state", backend="a", state="closed") == 1
    assert found.value("studiogate_queue_slots") == 3
    assert found.value("studiogate_ready") == 1
    assert found.value("process_resident_memory_bytes") > 0


async def test_a_plugin_that_fails_at_its_metrics_loses_only_its_own() -> None:
    """The fault is counted, and the log doesn't say what the error said."""
    plugins = {
        "broken": telling(ValueError("secret")),
        "odd": telling(["no metric"]),
        "sound": telling([Metric(name="cups", help="Cups.", value=3)]),
        "a": backend(says("Hello")),
    }
    async with serving(plugins) as served:
        await shown(served)
        found = await shown(served)

    assert found.value("studiogate_sound_cups") == 3
    assert found.value("studiogate_plugin_faults_total", plugin="broken", hook="metrics") == 1
    assert found.value("studiogate_plugin_faults_total", plugin="odd", hook="metrics") == 1


async def test_names_of_plugins_can_t_break_the_page() -> None:
    """One that another plugin's metric has already is left out, and so is what no name may hold."""
    plugins = {
        "a_b": telling([Metric(name="c", help="First.", value=1)]),
        "a": telling([Metric(name="b_c", help="Second.", value=2)]),
        "./my-plugin.py": telling([Metric(name="x", help="In a file.", value=3)]),
    }
    async with serving(plugins) as served:
        found = await shown(served)

    assert found.value("studiogate_a_b_c") == 1
    assert found.value("studiogate___my_plugin_py_x") == 3


async def test_a_label_has_only_so_many_values() -> None:
    """A plugin that counts by something unbounded doesn't flood Prometheus."""
    users = dict.fromkeys(map(str, range(MOST_VALUES + 1)), 1.0)
    many = Metric(name="by_user", help="Too many.", kind=Kind.COUNTER, label="user", value=users)
    async with serving({"x": telling([many])}) as served:
        found = await shown(served)

    assert found.value("studiogate_x_by_user_total") == MOST_VALUES


@pytest.mark.parametrize("wrong", [{"name": "Tabs"}, {"name": ""}, {"name": "a b"}, {"name": "a", "label": "x-y"}])
def test_names_are_checked_where_they_are_given(wrong: dict[str, Any]) -> None:
    """The plugin's author sees it at once."""
    with pytest.raises(ValueError, match="must be lower-case"):
        Metric(help="Wrong.", value=1, **wrong)


async def test_a_page_of_another_site_can_t_read_them() -> None:
    """As everything else while nobody is asked for a key."""
    async with serving({"a": backend(says("Hello"))}) as served:
        foreign = await served.http.get(METRICS_PATH, headers={"host": "evil.example"})

    assert foreign.status_code == 403


async def test_attachments_and_tool_calls_are_counted() -> None:
    """Files by kind and size; calls by what came of them."""
    calls = [call("works"), call("fails", 1), call("breaks", 2)]
    playing = Playing([[*calls, CALLED], [TextDelta(text="Done"), STOP]])
    async with serving({"files": Files, "tools": Tools, "a": backend(playing)}) as served:
        content = [{"type": "text", "text": "Look"}, {"type": "image_url", "image_url": {"url": "cat.png"}}]
        answer = await served.chat(messages=[{"role": "user", "content": content}])
        assert answer.status_code == 200
        await until(lambda: not served.gateway.queue.running)
        found = await shown(served)

    assert found.value("studiogate_attachments_total", type="image") == 1
    assert found.value("studiogate_attachment_bytes_total", type="image") == 3
    for outcome in ("ok", "error", "fault"):
        assert found.value("studiogate_tool_calls_total", outcome=outcome) == 1
    assert found.value("studiogate_tool_call_seconds_count") == 3
