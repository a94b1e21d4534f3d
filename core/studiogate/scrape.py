"""What `/metrics` shows: what the gateway has counted, how it stands now, and what plugins tell of themselves."""

import re
from collections.abc import Iterable, Iterator, Sequence
from importlib.metadata import version
from itertools import islice
from typing import TYPE_CHECKING

from prometheus_client import ProcessCollector
from prometheus_client.exposition import choose_encoder
from prometheus_client.metrics_core import CounterMetricFamily, GaugeMetricFamily, Metric as Family
from prometheus_client.registry import Collector

from studiogate.breaker import BreakerState
from studiogate.crash import log_fault
from studiogate.metrics import Kind, Metric

if TYPE_CHECKING:
    from studiogate.gateway import Gateway

MOST_VALUES = 200
"""Values of its label that are shown of a plugin's metric: each is a series that Prometheus keeps."""


class State(Collector):
    """Tell how a gateway stands, from memory, at each scrape."""

    def __init__(self, gateway: "Gateway") -> None:
        self._gateway = gateway

    def collect(self) -> Iterable[Family]:
        """Yield everything that isn't counted elsewhere, of the generation that takes requests."""
        gateway = self._gateway.current
        info = GaugeMetricFamily("studiogate_info", "Always 1; the label says which version runs.", labels=["version"])
        info.add_metric([version("studiogate")], 1)
        yield info
        yield _gauge("studiogate_ready", "Whether a request could be answered now.", gateway.ready)
        queue = gateway.queue
        yield _gauge("studiogate_queue_waiting", "Requests that wait for a slot.", queue.length)
        yield _gauge("studiogate_queue_running", "Requests that hold a slot.", len(queue.running))
        yield _gauge("studiogate_queue_slots", "Requests that may run at once.", queue.slots)
        yield _plugins(gateway)
        yield _breakers(gateway)
        yield from _hooks(gateway)
        yield from _of_plugins(gateway)


def prepare(gateway: "Gateway") -> None:
    """Have a gateway's registry show its state and its process, too."""
    registry = gateway.counts.registry
    registry.register(State(gateway))
    ProcessCollector(registry=registry)


def exposition(gateway: "Gateway", accept: str) -> tuple[bytes, str]:
    """Return everything in a format that `accept` names, Prometheus' text by default, and its content type."""
    encode, content_type = choose_encoder(accept)
    return encode(gateway.counts.registry), content_type


def _gauge(name: str, about: str, value: float) -> Family:
    return GaugeMetricFamily(name, about, value=value)


def _of_plugins(gateway: "Gateway") -> Iterator[Family]:
    """Yield what plugins tell; one that fails at it, or takes another's name, loses none but its own."""
    seen: set[str] = set()
    for hook in gateway.plugins.implementations("metrics"):
        try:
            told: Sequence[Metric] | None = hook()
            families = {name: family for metric in told or () for name, family in [_family(hook.plugin, metric)]}
        except Exception as error:  # noqa: BLE001 - the plugin boundary: whatever it is, it is this plugin's fault
            hook.usage.faults += 1
            log_fault(f"plugin {hook.plugin}: metrics", error)
            continue
        yield from (family for name, family in families.items() if name not in seen)
        seen |= families.keys()


def _family(plugin: str, metric: Metric) -> tuple[str, Family]:
    """Return a plugin's metric under the name that it is shown by; of a label, no more than so many values."""
    # The name of an entry point may hold more than that of a metric.
    name = re.sub(r"[^a-z0-9_]", "_", f"studiogate_{plugin}_{metric.name}".lower())
    labels = [metric.label] if metric.label else []
    kind = CounterMetricFamily if metric.kind is Kind.COUNTER else GaugeMetricFamily
    family = kind(name, metric.help, labels=labels)
    for label, value in islice(metric.values.items(), MOST_VALUES):
        family.add_metric([label] if labels else [], value)
    return name, family


def _plugins(gateway: "Gateway") -> Family:
    family = GaugeMetricFamily(
        "studiogate_plugin_ready", "Whether a plugin that says how it fares can do its work.", labels=["plugin"]
    )
    for name, health in gateway.health().items():
        family.add_metric([name], health.ready)
    return family


def _breakers(gateway: "Gateway") -> Family:
    family = GaugeMetricFamily(
        "studiogate_breaker_state", "1 for the state of each backend's breaker.", labels=["backend", "state"]
    )
    for name, breaker in gateway.chain.breakers.items():
        now = breaker.state
        for state in BreakerState:
            family.add_metric([name, state.replace(" ", "_")], state is now)
    return family


def _hooks(gateway: "Gateway") -> Iterator[Family]:
    calls = CounterMetricFamily("studiogate_hook_calls", "Calls of hooks.", labels=["plugin", "hook"])
    seconds = CounterMetricFamily("studiogate_hook_seconds", "What they took.", labels=["plugin", "hook"])
    faults = CounterMetricFamily(
        "studiogate_plugin_faults", "How often a hook raised what none should.", labels=["plugin", "hook"]
    )
    for usage in gateway.plugins.usages:
        labels = [usage.plugin, usage.hook]
        calls.add_metric(labels, usage.calls)
        seconds.add_metric(labels, usage.seconds)
        faults.add_metric(labels, usage.faults)
    yield from (calls, seconds, faults)
