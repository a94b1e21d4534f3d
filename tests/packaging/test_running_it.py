"""The image and the unit files: what they name exists, and what they promise holds, as far as files can tell."""

import configparser
import json
import os
import shutil
import subprocess
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml

from studiogate.cli import studiogate

from .conftest import ROOT, context_of

DOCKERFILE = ROOT / "docker" / "Dockerfile"
UNITS = ROOT / "contrib" / "systemd"
COMMAND = "/opt/studiogate/bin/studiogate"


def instructions() -> list[tuple[str, str]]:
    """Return the Dockerfile's instructions, each with its arguments on one line."""
    lines = [line for line in DOCKERFILE.read_text().splitlines() if line and not line.startswith("#")]
    whole = "\n".join(lines).replace("\\\n", " ").splitlines()
    return [(name, " ".join(rest.split())) for name, _, rest in (line.partition(" ") for line in whole)]


def arguments_of(name: str) -> list[str]:
    """Return the arguments of every instruction of a kind."""
    return [rest for each, rest in instructions() if each == name]


def unit(name: str) -> configparser.ConfigParser:
    """Read a unit file."""
    parser = configparser.ConfigParser(interpolation=None)
    parser.optionxform = str  # type: ignore[assignment,method-assign]
    parser.read(UNITS / name)
    return parser


def test_the_image_is_built_from_what_its_context_holds() -> None:
    """Each file it copies is let through by .dockerignore and exists; profiles, keys and .env are not."""
    allowed = set(context_of(ROOT))
    copied = [rest.split()[-2] for rest in arguments_of("COPY") if not rest.startswith("--from=")]

    assert {path.partition("/")[0] for path in copied} - {"."} <= allowed
    assert all((ROOT / path).exists() for path in copied)
    assert allowed.isdisjoint({"auth_profiles", "state", ".env", ".git", ".venv", "upload_files"})


def test_the_image_runs_the_scripts_that_ci_runs() -> None:
    """They are executable, and the Python is the one that everything is tested with."""
    run = " && ".join(arguments_of("RUN"))

    assert "scripts/build && scripts/install /opt/studiogate" in run
    assert all(os.access(ROOT / "scripts" / name, os.X_OK) for name in ("browser", "build", "install"))
    wanted = (ROOT / ".python-version").read_text().strip()
    assert {rest.split()[0] for rest in arguments_of("FROM")} == {f"python:{wanted}-slim-trixie"}


def test_the_image_runs_as_nobody_in_particular_and_tells_its_health() -> None:
    """Its commands are the gateway's own; nothing secret is an instruction's argument."""
    assert arguments_of("USER") == ["studiogate"]
    assert json.loads(arguments_of("ENTRYPOINT")[0]) == ["studiogate"]
    assert json.loads(arguments_of("CMD")[0])[0] in studiogate.commands
    health = json.loads(arguments_of("HEALTHCHECK")[0].partition(" CMD ")[2])
    assert (health[0], health[1] in studiogate.commands) == ("studiogate", True)
    assert arguments_of("ARG") == []


def test_compose_runs_that_image_with_few_rights() -> None:
    """Paths exist; the port is this machine's only; the profile of system calls is one for Docker."""
    service: dict[str, Any] = yaml.safe_load((ROOT / "docker" / "compose.yaml").read_text())["services"]["studiogate"]
    options = dict(option.split(":", 1) for option in service["security_opt"])
    profile = json.loads((ROOT / "docker" / options["seccomp"]).read_text())

    assert (ROOT / "docker" / service["build"]["context"] / service["build"]["dockerfile"]).resolve() == DOCKERFILE
    assert [port.split(":")[0] for port in service["ports"]] == ["127.0.0.1"]
    assert all(
        (ROOT / "docker" / volume.split(":")[0]).exists() for volume in service["volumes"] if volume.startswith(".")
    )
    assert {volume.split(":")[1] for volume in service["volumes"]} >= set(arguments_of("VOLUME"))
    assert (options["no-new-privileges"], service["cap_drop"]) == ("true", ["ALL"])
    (refused,) = profile["syscalls"]
    assert profile["defaultAction"] == "SCMP_ACT_ALLOW"
    assert refused["action"] == "SCMP_ACT_ERRNO"
    assert not {"chroot", "clone", "clone3", "unshare"} & set(refused["names"]), "Chromium's sandbox needs these"


def test_the_service_leaves_the_browser_to_the_gateway() -> None:
    """Only the gateway gets the signal to stop, a wrong configuration isn't started again, nothing runs as root."""
    service = unit("studiogate.service")["Service"]

    assert service["KillMode"] == "mixed"
    assert service["RestartPreventExitStatus"] == "2"
    assert service["User"] == "studiogate"
    assert service["WorkingDirectory"] == f"/var/lib/{service['StateDirectory']}"
    assert not {"RestrictNamespaces", "MemoryDenyWriteExecute", "SystemCallFilter", "ProcSubset"} & set(service)


@pytest.mark.parametrize("path", sorted(UNITS.glob("*.service")), ids=lambda path: path.name)
def test_units_run_commands_that_exist(path: Path) -> None:
    """Of the environment that scripts/install makes in the place that the guide names."""
    program, command = unit(path.name)["Service"]["ExecStart"].split()

    assert program == COMMAND
    assert command in studiogate.commands
    assert COMMAND.removesuffix("/bin/studiogate") in (ROOT / "docs" / "operating.md").read_text()


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="systemd isn't installed")
def test_systemd_takes_the_units(tmp_path: Path) -> None:
    """It knows every key and value."""
    for path in UNITS.iterdir():
        (tmp_path / path.name).write_text(path.read_text().replace(COMMAND, "/bin/true"))

    verified = subprocess.run(
        ["systemd-analyze", "verify", *tmp_path.iterdir()], capture_output=True, text=True, check=False
    )

    assert (verified.returncode, verified.stderr) == (0, "")


def test_the_python_that_images_have_is_supported() -> None:
    """By every distribution, and by its classifiers."""
    wanted = (ROOT / ".python-version").read_text().strip()
    project = tomllib.loads((ROOT / "core" / "pyproject.toml").read_text())["project"]

    assert f"Programming Language :: Python :: {wanted}" in project["classifiers"]
