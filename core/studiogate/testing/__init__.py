"""What plugin authors test with: contract tests, a gateway around a plugin, scripted backends, a recorder.

A contract class tries every rule of the contract for a kind of plugin; a test inherits it in one line:

    from studiogate.testing import BackendContract

    class TestContract(BackendContract):
        plugin = MyBackend

`BackendContract`, `ToolsContract`, `AttachmentsContract` and `ParamsContract` run with pytest, and without it by
`studiogate plugins check`. The pytest fixtures are `studiogate_pytest`'s. docs/testing-a-plugin.md tells all of it.
"""

from studiogate.testing.attachments import AttachmentsContract
from studiogate.testing.backend import BackendContract, Does
from studiogate.testing.contract import Contract
from studiogate.testing.http_upstream import HttpUpstream
from studiogate.testing.parameters import ParamsContract
from studiogate.testing.recorder import Call, Recorder
from studiogate.testing.rules import NotTried, Rule, RuleBroken
from studiogate.testing.scripted import STOP, Held, Script, says, scripted, yields
from studiogate.testing.stage import ask, read, running, serving, text_of
from studiogate.testing.tools import ToolsContract

__all__ = [
    "STOP",
    "AttachmentsContract",
    "BackendContract",
    "Call",
    "Contract",
    "Does",
    "Held",
    "HttpUpstream",
    "NotTried",
    "ParamsContract",
    "Recorder",
    "Rule",
    "RuleBroken",
    "Script",
    "ToolsContract",
    "ask",
    "read",
    "running",
    "says",
    "scripted",
    "serving",
    "text_of",
    "yields",
]
