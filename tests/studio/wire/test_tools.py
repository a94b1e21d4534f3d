from studiogate.tools import FunctionDeclaration
from studiogate_studio.wire import (
    code_execution,
    declare,
    functions,
    google_maps,
    google_search,
    url_context,
)

from .streams import slots


def test_built_in_tools() -> None:
    """The kind of a tool is the index that is set."""
    assert code_execution() == [[]]
    assert google_search() == [None, None, None, [None, [[]]]]
    assert url_context() == slots({7: []})
    assert google_maps() == slots({10: []})


def test_functions_share_an_entry() -> None:
    """Name, description and, where there are any, parameters."""
    weather = FunctionDeclaration(
        name="weather",
        description="Tell it.",
        parameters={"type": "object", "properties": {"city": {"type": "string"}}},
    )
    time = FunctionDeclaration(name="time", parameters={"type": "object", "properties": {}})

    assert functions([declare(weather), declare(time)]) == [
        None,
        [["weather", "Tell it.", slots({0: 6, 6: [["city", [1]]], 22: ["city"]})], ["time", ""]],
    ]
