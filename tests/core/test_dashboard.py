import json
import re
from pathlib import Path
from typing import Any

from prometheus_client.parser import text_string_to_metric_families

from studiogate.scrape import exposition
from studiogate_studio import Studio, StudioSettings
from studiogate_studio.tabs import TabPool

from .backends import backend, living, says

ROOT = Path(__file__).parents[2]
DASHBOARD: dict[str, Any] = json.loads((ROOT / "contrib" / "grafana" / "studiogate.json").read_text())
QUERIES = [target["expr"] for panel in DASHBOARD["panels"] for target in panel["targets"]]
ASKED = {name for query in QUERIES for name in re.findall(r"\b(?:studiogate|process)_[a-z_]+", query)}
OPERATING = (ROOT / "docs" / "operating.md").read_text()


def families(text: str) -> set[str]:
    """Return the names of every series that an exposition may have, also those that have none yet."""
    names: set[str] = set()
    for family in text_string_to_metric_families(text):
        endings = {"counter": ("_total",), "histogram": ("_bucket", "_count", "_sum")}.get(family.type, ("",))
        names |= {f"{family.name}{ending}" for ending in endings}
    return names


def of_studio() -> set[str]:
    """Return the names of the metrics that `studio` tells, of tabs that have no browser yet."""
    studio = Studio(StudioSettings())
    keeper: Any = type("Keeper", (), {"launches": 0, "listeners": []})
    studio._pool = TabPool(keeper, studio.selectors, keeper, 1)  # pyright: ignore[reportPrivateUsage]
    return {f"studiogate_studio_{told.name}{'_total' if told.kind == 'counter' else ''}" for told in studio.metrics()}


async def test_every_query_of_the_dashboard_names_metrics_that_exist() -> None:
    """And it shows every one there is but for those that are parts of others."""
    async with living({"a": backend(says("x"))}) as gateway:
        there = families(exposition(gateway, "")[0].decode()) | of_studio()

    assert ASKED - there == set()
    shown = {name.removesuffix("_bucket").removesuffix("_total") for name in ASKED}
    own = {re.sub(r"_(bucket|count|sum|total)$", "", name) for name in there if name.startswith("studiogate_")}
    assert own - shown == set()


def test_every_metric_is_documented() -> None:
    """The operator's guide names each that the dashboard asks for."""
    shown = {name.removesuffix("_bucket").removesuffix("_seconds_total") for name in ASKED}
    missing = {
        name for name in shown if name not in OPERATING and not name.startswith(("process_", "studiogate_queue"))
    }

    assert missing == set()
