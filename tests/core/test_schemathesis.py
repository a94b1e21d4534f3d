"""schemathesis asks a really served gateway thousands of questions made from its own `/openapi.json`.

Its default checks ask: no 5xx, no status, content type, header or body that isn't documented, nothing refused that the
document allows, nothing accepted that it forbids, the right answer to a wrong method, and keys where they are needed.
"""

import asyncio
import re
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest

from studiogate import hookimpl
from studiogate.attachments import Attachment, AttachmentRef
from studiogate.chat import ChatRequest
from studiogate.tools import FunctionDeclaration, ToolPlan, ToolSpec

from .backends import Served, backend, says, serving

FORMATS = Path(__file__).with_name("schemathesis_formats.py")


class Takes:
    """Take every attachment and every tool: whether anybody does is the operator's choice, not the document's."""

    @hookimpl
    async def resolve_attachments(
        self, refs: Sequence[AttachmentRef], workdir: Path
    ) -> Mapping[AttachmentRef, Attachment]:
        """Make an empty file of each."""
        path = workdir / "file.txt"
        path.touch()
        return {ref: Attachment(ref=ref, path=path, mime="text/plain", filename="file.txt", size=0) for ref in refs}

    @hookimpl
    async def map_tools(self, tools: Sequence[ToolSpec], request: ChatRequest) -> ToolPlan:
        """Offer whatever function is chosen: JSON Schema can't say that it has to be among the tools."""
        chosen = request.chosen_function
        functions = (FunctionDeclaration(name=chosen),) if chosen else ()
        return ToolPlan(taken=frozenset(tool.index for tool in tools), functions=functions)


PLUGINS = {"takes": Takes, "a": backend(says("hello"), "m1", "m2")}


async def examined(served: Served, folder: Path, *options: str, examples: int) -> int:
    """Let schemathesis loose and return how many cases it tried, all of which must have passed."""
    config = folder / "schemathesis.toml"
    config.write_text(
        f"""
        hooks = "{FORMATS}"
        continue-on-failure = true
        # A slow machine is no fault of the API.
        suppress-health-check = ["too_slow"]
        [generation]
        # The same cases in each run.
        deterministic = true
        max-examples = {examples}
        """
    )
    schemathesis = Path(sys.executable).with_name("schemathesis")
    url = f"{served.url}/openapi.json"
    # Left alone it leaves out the document's own path. The log's stream never ends.
    selected = ["--include-path-regex=.", "--exclude-path=/api/logs"]
    command = ["--config-file", str(config), "run", url, *selected, "--no-color", *options]
    process = await asyncio.create_subprocess_exec(
        str(schemathesis), *command, cwd=folder, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT
    )
    said = (await process.communicate())[0].decode()
    assert process.returncode == 0, said
    counted = re.search(r"(\d+) generated, \1 passed", said)
    assert counted, said
    assert "Selected: 10/11\n  Tested: 10\n" in said, said
    return int(counted[1])


@pytest.mark.timeout(900)
async def test_the_gateway_is_what_its_document_says(tmp_path: Path) -> None:
    """At least 2,000 cases over all operations, and nothing to complain of."""
    async with serving(PLUGINS) as served:
        cases = await examined(served, tmp_path, examples=25)

    assert cases >= 2000


@pytest.mark.timeout(900)
async def test_it_asks_for_keys_where_its_document_says(tmp_path: Path) -> None:
    """With a key everything is as without any; schemathesis itself tries without one and with a wrong one."""
    keys = tmp_path / "keys.txt"
    keys.write_text("sk-first-key-1234\n")
    keys.chmod(0o600)
    key = "--header=Authorization: Bearer sk-first-key-1234"
    async with serving(PLUGINS, keys_file=str(keys)) as served:
        await examined(served, tmp_path, key, "--phases=fuzzing", examples=5)
