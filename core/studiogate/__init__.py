"""studiogate: a plugin-based, OpenAI-compatible gateway.

A plugin needs what this package exports; `studiogate.hookspecs` is the contract, `studiogate.events` what a backend
says.
"""

from studiogate.errors import ConfigurationError, Declined, InvalidRequest, Unavailable
from studiogate.hookspecs import hookimpl, hookspec

__all__ = ["ConfigurationError", "Declined", "InvalidRequest", "Unavailable", "hookimpl", "hookspec"]
