import pytest

from studiogate_simulator.hosts import PAGE_HOST

from .harness import Running

NEW_CHAT = "/prompts/new_chat"


@pytest.mark.parametrize(
    ("posted", "status", "title"),
    [
        ({"fault": "region_page"}, 200, "Available regions"),
        ({"fault": "forbidden_page"}, 403, "Error 403 (Forbidden)"),
        ({"fault": "load_error", "http_status": 500}, 500, "Error 500"),
    ],
)
async def test_in_place_of_the_page(simulator: Running, posted: dict[str, str | int], status: int, title: str) -> None:
    """For one load; the next has the page."""
    async with simulator.client(host=PAGE_HOST, cookie=simulator.cookie) as client:
        await client.post("/__sim/faults", json=posted)
        instead, after = await client.get(NEW_CHAT), await client.get(NEW_CHAT)

    assert (instead.status_code, title in instead.text, "<ms-app>" in instead.text) == (status, True, False)
    assert "<ms-app>" in after.text
