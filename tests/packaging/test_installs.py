"""Every distribution, built as a release is and installed alone, where nothing of the checkout is in sight."""

import email.message
import importlib.metadata
import zipfile
from pathlib import Path

import pytest

from tests.core.test_layout import PACKAGES, ROOT

from .conftest import Installation, install

pytestmark = [
    pytest.mark.packaging,
    pytest.mark.timeout(600),  # it builds and installs, on a machine that may be busy
]

VERSION = importlib.metadata.version("studiogate")
HEAVY = {"mcp", "mitmproxy", "playwright"}
"""What a gateway that doesn't need it shouldn't get."""
BRINGS = {
    "studiogate": set[str](),
    "studiogate_attachments": set[str](),
    "studiogate_dom_scrape": {"playwright"},
    "studiogate_helper_backend": {"playwright"},
    "studiogate_mcp": {"mcp"},
    "studiogate_simulator": set[str](),
    "studiogate_stream_intercept": {"mitmproxy", "playwright"},
    "studiogate_studio": {"playwright"},
    "studiogate_tools_google_search": set[str](),
}
"""What of it each distribution brings."""

IMPORT_ALL = """
import importlib, pkgutil, sys

package, extras = importlib.import_module(sys.argv[1]), sys.argv[2:]
for module in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
    if module.name.endswith(".__main__"):
        continue
    try:
        importlib.import_module(module.name)
    except ModuleNotFoundError as error:
        if not any(each.replace("-", "_").startswith(error.name.partition(".")[0]) for each in extras):
            raise
"""
"""Imports every module, so that none needs what its distribution doesn't ask for; one may want an extra's."""


def wheel_of(dist: Path, package: str) -> Path:
    """Return the one wheel of a distribution."""
    (wheel,) = dist.glob(f"{package}-{VERSION}-*.whl")
    return wheel


def metadata_of(dist: Path, package: str) -> email.message.Message:
    """Return what a wheel says of itself."""
    with zipfile.ZipFile(wheel_of(dist, package)) as wheel:
        text = wheel.read(f"{package}-{VERSION}.dist-info/METADATA")
    return email.message_from_bytes(text)


def test_every_distribution_is_built(dist: Path) -> None:
    """A wheel and an sdist of each, all of one version, and the versions of the rest."""
    names = {path.name for path in dist.iterdir() if not path.name.startswith(".")}

    assert names == {"constraints.txt"} | {
        f"{package}-{VERSION}{end}" for package in PACKAGES for end in (".tar.gz", "-py3-none-any.whl")
    }
    assert set(PACKAGES) == set(BRINGS)


@pytest.mark.parametrize("package", sorted(BRINGS))
def test_a_wheel_holds_all_of_its_package_and_nothing_else(dist: Path, package: str) -> None:
    """Scripts, selectors and pages go along with the code; the licence lies beside it."""
    wanted = {
        path.relative_to(PACKAGES[package]).as_posix()
        for path in (PACKAGES[package] / package).rglob("*")
        if path.is_file() and path.suffix != ".pyc"
    }
    with zipfile.ZipFile(wheel_of(dist, package)) as wheel:
        held = set(wheel.namelist())
    about = f"{package}-{VERSION}.dist-info/"

    assert {name for name in held if not name.startswith(about)} == wanted
    assert f"{about}licenses/LICENSE" in held


@pytest.mark.parametrize("package", sorted(BRINGS))
def test_a_wheel_says_what_it_is(dist: Path, package: str) -> None:
    """What an index or `pip show` tells of it: licence, Python, what it is for, its README."""
    said = metadata_of(dist, package)

    assert said["License-Expression"] == "MIT"
    assert said["Requires-Python"] == ">=3.12"
    assert said["Summary"].endswith(".")
    assert said["Keywords"]
    assert {"Typing :: Typed", "Operating System :: POSIX :: Linux"} <= set(said.get_all("Classifier", []))
    assert said["Description-Content-Type"] == "text/markdown"
    assert "## Installation" in str(said.get_payload())


@pytest.mark.parametrize("package", sorted(BRINGS))
def test_a_distribution_works_alone(dist: Path, tmp_path: Path, package: str) -> None:
    """Installed alone it has what each of its modules imports, and nothing heavy that it doesn't need."""
    extras = [each.split(";")[0] for each in metadata_of(dist, package).get_all("Requires-Dist", []) if "extra" in each]

    installed = install(dist, tmp_path, package)

    installed.run("python", "-c", IMPORT_ALL, package, *extras)
    assert installed.distributions() & HEAVY == BRINGS[package]
    if package != "studiogate_simulator":
        assert installed.run("studiogate", "--version") == f"studiogate, version {VERSION}\n"


@pytest.fixture(scope="module")
def everything(dist: Path, tmp_path_factory: pytest.TempPathFactory) -> Installation:
    """Install all that the image has: studiogate[all], and what traces need."""
    return install(dist, tmp_path_factory.mktemp("all"), "studiogate[all,otel]")


def test_all_installs_every_distribution(everything: Installation) -> None:
    """`studiogate[all]` is the gateway with each plugin and the simulator, and they load together."""
    chain = everything.run("studiogate", "chain", "--config", str(ROOT / "plugins.toml"), "--port", "1")

    assert {name for name in everything.distributions() if name.startswith("studiogate")} == {
        package.replace("_", "-") for package in PACKAGES
    }
    assert chain.splitlines() == ["1. stream_intercept (needs studio)", "2. dom_scrape (needs studio)"]


def test_pip_installs_all_from_the_wheels(dist: Path, everything: Installation) -> None:
    """pip, too, takes extras that lead from the gateway to its plugins and back."""
    everything.run("python", "-m", "ensurepip")
    pip = ("python", "-m", "pip", "--no-cache-dir", "--isolated")
    ours = [package.replace("_", "-") for package in PACKAGES]
    everything.run(*pip, "uninstall", "--quiet", "--yes", *ours)

    everything.run(
        *pip, "install", "--quiet", "--no-index", "--find-links", str(dist),
        "--constraint", str(dist / "constraints.txt"), "studiogate[all]",
    )  # fmt: skip

    assert set(ours) <= everything.distributions()
