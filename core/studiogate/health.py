"""Health: how a plugin or the gateway fares."""

from collections.abc import Mapping
from typing import Any

import attrs


@attrs.frozen(kw_only=True)
class Health:
    """Say how one plugin fares, for `/health`."""

    ready: bool
    """Whether it can do its work now."""
    status: str
    """One word or a few: ready, starting, signed out, ..."""
    advice: str | None = None
    """What the operator should do, where anything helps. No paths, no secrets."""
    details: Mapping[str, Any] = attrs.field(factory=dict[str, Any])
    """JSON values worth showing."""
    flags: Mapping[str, bool] = attrs.field(factory=dict[str, bool])
    """Fields that this plugin sets at the top level of `/health`, such as `page_ready`."""
