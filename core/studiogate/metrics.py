"""What a plugin tells of itself in numbers, for `/metrics`."""

import re
from collections.abc import Mapping
from enum import StrEnum
from typing import Any

import attrs

_NAME = re.compile(r"[a-z][a-z0-9_]*")


class Kind(StrEnum):
    """What a number means over time."""

    GAUGE = "gauge"
    """How things are now; may rise and fall."""
    COUNTER = "counter"
    """How often something has happened since the start; only rises."""


def _named(_: object, attribute: "attrs.Attribute[Any]", value: str) -> None:
    if not _NAME.fullmatch(value) and (value or attribute.name != "label"):
        raise ValueError(f"a metric's {attribute.name} must be lower-case letters, digits and underscores: {value!r}")


@attrs.frozen(kw_only=True)
class Metric:
    """Hold one metric of a plugin, as it stands now."""

    name: str = attrs.field(validator=_named)
    """Lower-case letters, digits and underscores, such as `tabs`. The gateway puts `studiogate_` and the plugin's name
    before it, and `_total` behind a counter's."""
    help: str
    """One sentence for the operator."""
    value: float | Mapping[str, float]
    """The number; or, with a `label`, one for each of its values. Those must be few and never a client's words."""
    kind: Kind = Kind.GAUGE
    label: str = attrs.field(default="", validator=_named)
    """What tells the numbers apart, such as `state`; empty where there is but one."""

    @property
    def values(self) -> Mapping[str, float]:
        """Return the numbers by the label's value; one without a label stands under an empty text."""
        return self.value if isinstance(self.value, Mapping) else {"": self.value}
