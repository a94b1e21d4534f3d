"""`studiogate plugins check`: what it finds, says and returns."""

import textwrap
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from studiogate.cli import studiogate
from studiogate.errors import ConfigurationError

BACKEND = """
from studiogate import Unavailable, hookimpl
from studiogate.events import Finish, FinishReason, TextDelta


class Parrot:
    @hookimpl
    async def fetch_response(self, exchange):
        if "fail" in exchange.prompt.text:
            raise {error}
        yield TextDelta(text=exchange.prompt.text)
        yield Finish(reason=FinishReason.STOP)
"""
TEST = """
from contextlib import asynccontextmanager

from studiogate.testing import BackendContract, Does, NotTried, ask
from {module} import Parrot


class TestContract(BackendContract):
    plugin = Parrot
    failing = False

    @asynccontextmanager
    async def upstream(self, does):
        if does not in (Does.ANSWER, Does.FAIL_BEFORE):
            raise NotTried("a parrot always ends")
        self.failing = does is Does.FAIL_BEFORE
        yield {{}}

    def request(self, text):
        return ask("fail" if self.failing else text)
"""
PROJECT = """
[project]
name = "{package}"

[project.entry-points."studiogate.plugins"]
{package} = "{package}:Parrot"
"""


def check(target: str | Path) -> Result:
    """Run the command."""
    return CliRunner().invoke(studiogate, ["plugins", "check", str(target)])


def write(path: Path, text: str) -> Path:
    """Write a file of a plugin."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(textwrap.dedent(text))
    return path


def test_a_plain_file_is_tried(tmp_path: Path) -> None:
    """A plain file without tests gets the rules as they are; what can't be tried is said, and breaks nothing."""
    done = check(write(tmp_path / "parrot_alone.py", BACKEND.format(error="Unavailable('no')")))

    assert (done.exit_code, done.exception) == (0, None)
    assert "parrot_alone, by Parrot\n" in done.output
    assert "  ok         cancelled\n" in done.output
    assert "  not tried  deadline: nothing makes the upstream hang: override `upstream`" in done.output
    assert done.output.endswith("rules kept, 0 broken, 4 not tried\n")


def test_the_tests_beside_a_file_say_how_its_upstream_is_played(tmp_path: Path) -> None:
    """A rule that is broken is named, with what was seen and what would be right; the exit code is 1."""
    file = write(tmp_path / "parrot_beside.py", BACKEND.format(error="KeyError('feathers')"))
    write(tmp_path / "test_parrot_beside.py", TEST.format(module="parrot_beside"))

    done = check(file)

    assert done.exit_code == 1
    assert "by TestContract\n" in done.output
    assert "  failed     fails-before: An upstream that fails before the first event" in done.output
    assert "             seen:  KeyError: 'feathers'\n" in done.output
    assert "             right: Unavailable(reason) is raised before the first event\n" in done.output
    assert "  not tried  deadline: a parrot always ends\n" in done.output


def test_a_package_is_tried_by_its_folder(tmp_path: Path) -> None:
    """Its entry point names the class; its tests are read, those that can't be are named."""
    write(tmp_path / "pyproject.toml", PROJECT.format(package="parrot_package"))
    write(tmp_path / "src" / "parrot_package" / "__init__.py", BACKEND.format(error="Unavailable('no')"))
    write(tmp_path / "tests" / "test_contract.py", TEST.format(module="parrot_package"))
    write(tmp_path / "tests" / "test_more_contracts.py", "import parrot_feathers  # Contract")

    done = check(tmp_path)

    assert done.exit_code == 0
    assert "test_more_contracts.py is left out: ModuleNotFoundError: No module named 'parrot_feathers'" in done.output
    assert "  ok         fails-before\n" in done.output
    assert done.output.count(", by ") == 1


def test_an_installed_plugin_is_tried_by_its_name() -> None:
    """One that implements several hooks gets the rules of all, each once."""
    done = check("tools_google_search")

    assert done.exit_code == 0
    assert "  ok         leaves-others\n" in done.output
    assert "  not tried  takes-own: the contract class names none: set `own`\n" in done.output
    assert done.output.count("  ok         params\n") == done.output.count("  ok         loads\n") == 1


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("", "", "holds no pyproject.toml"),
        ("pyproject.toml", "[project]", "names the plugin's class"),
        ("empty.py", "x = 1", "holds no plugin class"),
    ],
    ids=["no folder of a package", "no entry point", "no class"],
)
def test_what_is_no_plugin_is_refused(tmp_path: Path, name: str, text: str, message: str) -> None:
    """The message says what would be one."""
    if name:
        write(tmp_path / name, text)

    done = check(tmp_path / name if name.endswith(".py") else tmp_path)

    assert isinstance(done.exception, ConfigurationError)
    assert message in str(done.exception)


def test_an_unknown_name_is_refused() -> None:
    """The message names the nearest."""
    assert "Did you mean 'tools_google_search'?" in str(check("tools_google_serch").exception)
