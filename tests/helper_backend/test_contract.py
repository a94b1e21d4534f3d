"""The plugin keeps the contract of backends, before an OpenAI-compatible service."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

from studiogate.chat import ChatRequest
from studiogate.config import Table
from studiogate.testing import BackendContract, Does, HttpUpstream, ask
from studiogate.testing.http_upstream import chat_completion
from studiogate_helper_backend import HelperBackend


class TestContract(BackendContract):
    """The service answers, fails and hangs as each rule wants it."""

    plugin = HelperBackend
    service: HttpUpstream

    @asynccontextmanager
    async def upstream(self, does: Does) -> AsyncGenerator[Table]:
        """Play the service."""
        async with HttpUpstream(answer=chat_completion).playing(does) as self.service:
            yield {"base_url": f"{self.service.url}/v1", "retries": 0}

    def request(self, text: str) -> ChatRequest:
        """Ask for a model, as the service has to be told one."""
        return ask(text, model="any", stream=True)

    def held(self) -> int:
        """Return the answers under way."""
        return self.service.held
