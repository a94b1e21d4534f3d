"""`studiogate check`: one line for each thing that has to be right, and nothing is started."""

import socket
from collections.abc import Sequence
from pathlib import Path

import pytest
from click.testing import CliRunner

from studiogate import hookimpl
from studiogate.check_cli import check
from studiogate.checks import Check, checks
from studiogate.config import Config

from .backends import backend, config, installed, says


class Checking:
    """Have something to say, or fail at it."""

    fails = False

    @hookimpl
    def check(self) -> Sequence[Check]:
        """Say that it is fine."""
        if self.fails:
            raise OSError("secret")
        return [Check(what="well", ok=True, said="Fine.")]


class Failing(Checking):
    """Fail at it."""

    fails = True


def found(made: Config, **plugins: type) -> dict[str, Check]:
    """Return what is found, by what it is about."""
    return {each.what: each for each in checks(made, installed(plugins))}


def test_what_is_right_is_ok(tmp_path: Path) -> None:
    """Plugins, keys, port and what plugins say."""
    made = found(config("a", "c", keys_file=str(tmp_path / "keys")), a=backend(says("x")), c=Checking)

    assert list(made) == ["plugins and settings", "keys", "port", "c: well"]
    assert all(each.ok for each in made.values())


@pytest.mark.parametrize(
    ("made", "what", "said"),
    [
        (config("nobody"), "plugins and settings", "no plugin 'nobody'"),
        (config("a", prot=1), "plugins and settings", "prot: is not known here"),
        (config("a", timeouts={"nobody": {}}), "plugins and settings", "timeouts.nobody"),
        (config("a", host="0.0.0.0"), "keys", "asks nobody for a key"),
        (config("f"), "f: check", "failed unexpectedly with OSError"),
    ],
)
def test_what_is_wrong_is_named(made: Config, what: str, said: str) -> None:
    """With what would be right, and without what an exception quotes."""
    wrong = [each for each in found(made, a=backend(says("x")), f=Failing).values() if not each.ok]

    assert [each.what for each in wrong] == [what]
    assert said in wrong[0].said
    assert "secret" not in wrong[0].said


def test_a_taken_port_is_found() -> None:
    """Where what listens is no gateway."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        made = found(config("a", port=taken.getsockname()[1]), a=backend(says("x")))

    assert not made["port"].ok


def test_the_command_says_it_by_its_exit_code(tmp_path: Path) -> None:
    """Each check is one line; a missing profile has the command that makes one."""
    path = tmp_path / "plugins.toml"
    path.write_text('plugins = ["dom_scrape"]\n[gateway]\nport = 0\n')
    failed = CliRunner().invoke(check, ["--config", str(path)])
    path.write_text("plugins = []\n[gateway]\nport = 0\n")
    fine = CliRunner().invoke(check, ["--config", str(path)])
    path.write_text("plugins = [")
    unreadable = CliRunner().invoke(check, ["--config", str(path)])

    assert (failed.exit_code, fine.exit_code, unreadable.exit_code) == (1, 0, 1)
    assert "failed  studio: profile: There is no profile. Sign in: studiogate login." in failed.stdout
    assert "studio: browser: " in failed.stdout
    assert [line.partition(":")[0] for line in fine.stdout.splitlines()] == [
        "ok      file",
        "ok      plugins and settings",
        "ok      keys",
        "ok      port",
    ]
    assert unreadable.stdout.startswith("failed  file: plugins.toml: is not TOML")
