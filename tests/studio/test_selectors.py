from pathlib import Path

import pytest

from studiogate.errors import ConfigurationError
from studiogate_studio.selectors import load_selectors


def written(folder: Path, text: str) -> Path:
    """Write an operator's file."""
    path = folder / "mine.toml"
    path.write_text(text)
    return path


def test_built_in_candidates_start_with_the_newest_generation() -> None:
    """G3 is tried first."""
    selectors = load_selectors()

    assert selectors["composer"][0] == 'textarea[formcontrolname="promptText"]'
    assert all(selectors.candidates.values())


def test_an_override_replaces_only_the_elements_it_names(tmp_path: Path) -> None:
    """The rest stays ours."""
    selectors = load_selectors(written(tmp_path, 'composer = ["textarea.mine"]'))

    assert selectors["composer"] == ("textarea.mine",)
    assert selectors["run_button"] == load_selectors()["run_button"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('compozer = ["x"]', "no element is called 'compozer'; nearest: composer"),
        ("composer = []", "composer must be a list"),
        ('composer = "x"', "composer must be a list"),
        ("composer = [1]", "composer must be a list"),
        ("composer", "no TOML"),
    ],
)
def test_a_wrong_override_stops_the_start(tmp_path: Path, text: str, message: str) -> None:
    """The error names the file and what is wrong in it."""
    with pytest.raises(ConfigurationError, match=message) as caught:
        load_selectors(written(tmp_path, text))

    assert "mine.toml" in str(caught.value)


def test_a_missing_override_stops_the_start(tmp_path: Path) -> None:
    """A file that was named has to be there."""
    with pytest.raises(ConfigurationError, match=r"studio\.selectors"):
        load_selectors(tmp_path / "none.toml")
