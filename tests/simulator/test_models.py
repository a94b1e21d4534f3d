from typing import Any

from studiogate_simulator.models import MODELS, find_model


def test_budget_model() -> None:
    """A row has its fields where the page reads them."""
    model = find_model("gemini-2.5-pro")
    assert model
    row: list[Any] = model.row()

    assert row[0] == "models/gemini-2.5-pro"
    assert row[5:7] == [1048576, 65536]
    assert row[8:11] == [1, 0.95, 64]
    assert 35 in row[64]
    assert row[71] == [8192, 32768, 128, 0]


def test_level_model() -> None:
    """A level model tells its default and its levels."""
    model = find_model("gemini-3-flash-preview")
    assert model

    assert model.row()[71] == [None, None, None, 0, None, 3, [4, 1, 2, 3]]


def test_kinds() -> None:
    """There are models that chat and models that do not; ids are unique."""
    assert {model.id for model in MODELS if not model.generates} == {"imagen-4.0-generate-001", "text-embedding-004"}
    assert len({model.id for model in MODELS}) == len(MODELS)


def test_aliases() -> None:
    """A row tells the other ids that its model answers to; they belong to one model only."""
    flash = find_model("gemini-flash-latest")
    assert flash
    row: list[Any] = flash.row()
    aliases = [alias for model in MODELS for alias in model.aliases]

    assert (row[0], row[56]) == ("models/gemini-2.5-flash", [["models/gemini-flash-latest", 1]])
    assert len({*aliases, *(model.id for model in MODELS)}) == len(aliases) + len(MODELS)


def test_unknown() -> None:
    """An unknown id finds nothing."""
    assert find_model("models/gemini-2.5-pro") is None
