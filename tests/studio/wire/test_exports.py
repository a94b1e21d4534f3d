from studiogate_studio import wire


def test_every_export_is_there_and_sorted() -> None:
    """`__all__` names what exists, constants first, then classes, then functions."""
    assert all(hasattr(wire, name) for name in wire.__all__)
    assert sorted(wire.__all__) == sorted(set(wire.__all__))


def test_every_public_name_is_exported() -> None:
    """Nothing public is left out of `__all__`."""
    modules = {
        "answer",
        "brackets",
        "bulk",
        "declarations",
        "encoding",
        "errors",
        "finish",
        "frames",
        "indices",
        "jspb",
        "model_list",
        "parts",
    }
    modules |= {"request", "schema", "simplify", "sources", "status", "structs", "tools", "transcript", "usage"}

    assert {name for name in vars(wire) if not name.startswith("_")} - modules == set(wire.__all__)
