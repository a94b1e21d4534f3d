import httpx
import pytest

from studiogate_simulator.hosts import PAGE_ORIGIN, RPC_HOST

from .harness import Running, method


async def test_list_models(rpc: httpx.AsyncClient) -> None:
    """ListModels is one list of rows."""
    answer = await rpc.post(method("ListModels"), content="[]")

    [rows] = answer.json()
    assert answer.headers["content-type"] == "application/json+protobuf; charset=UTF-8"
    assert "models/gemini-3-pro-preview" in [row[0] for row in rows]


async def test_signed_out(simulator: Running) -> None:
    """Without cookies every method is a 401 with the bare status."""
    async with simulator.client(host=RPC_HOST) as client:
        for name in ("ListModels", "GenerateContent"):
            answer = await client.post(method(name), content="[]")

            assert answer.status_code == 401
            assert answer.text.startswith("[16,")


async def test_preflight(simulator: Running) -> None:
    """The page's origin may send the headers that it asks for, with credentials."""
    asked = {
        "origin": PAGE_ORIGIN,
        "access-control-request-method": "POST",
        "access-control-request-headers": "authorization,content-type,x-goog-api-key",
    }
    async with simulator.client(host=RPC_HOST) as client:
        answer = await client.options(method("ListModels"), headers=asked)

    assert answer.status_code == 200
    assert answer.headers["access-control-allow-origin"] == PAGE_ORIGIN
    assert answer.headers["access-control-allow-credentials"] == "true"
    assert answer.headers["access-control-allow-headers"] == asked["access-control-request-headers"]


async def test_other_origins(rpc: httpx.AsyncClient) -> None:
    """Another origin gets no permission to read."""
    answer = await rpc.post(method("ListModels"), content="[]", headers={"origin": "https://example.com"})

    assert "access-control-allow-origin" not in answer.headers


@pytest.mark.parametrize(
    ("body", "count"),
    [
        (["models/m", [[[[None, "one two"]], "user"]]], 2),
        (
            [
                "models/m",
                None,
                ["models/m", [[[[None, "one"]], "user"]], None, None, None, [[[None, "be brief"]], "user"]],
            ],
            3,
        ),
    ],
)
async def test_count_tokens(rpc: httpx.AsyncClient, body: list[object], count: int) -> None:
    """Both forms of CountTokens count, the long one with the system instruction."""
    answer = await rpc.post(method("CountTokens"), json=body)

    assert answer.json() == [count, [], [[[count], 1]], None, None, [[1, count]]]


async def test_count_tokens_of_files(rpc: httpx.AsyncClient) -> None:
    """Files count by their kind, next to the text."""
    parts = [[None, None, ["image/png", "QUJD"]], [None, None, ["text/plain", "QUJD"]], [None, "one"]]
    answer = await rpc.post(method("CountTokens"), json=["models/m", None, ["models/m", [[parts, "user"]]]])

    assert answer.json() == [260, [], [[[260], 1]], None, None, [[1, 2], [2, 258]]]


@pytest.mark.parametrize("name", ["GenerateAccessToken", "GetAppFolder", "GetUserPreferences", "GetLoggingContext"])
async def test_small_calls(rpc: httpx.AsyncClient, name: str) -> None:
    """The calls that the page makes at its start are answered."""
    answer = await rpc.post(method(name), content='["users/me"]')

    assert answer.status_code == 200
    assert answer.json()


async def test_cookies_are_refreshed(rpc: httpx.AsyncClient) -> None:
    """Every answer renews the short-lived cookies."""
    answer = await rpc.post(method("ListModels"), content="[]")

    assert [cookie.partition("=")[0] for cookie in answer.headers.get_list("set-cookie")] == [
        "SIDCC",
        "__Secure-1PSIDCC",
        "__Secure-3PSIDCC",
    ]


async def test_unknown_method(rpc: httpx.AsyncClient) -> None:
    """A method that is not played is a 404."""
    assert (await rpc.post(method("Nonsense"), content="[]")).status_code == 404
    assert (await rpc.post(method("CountTokens"), content="{")).status_code == 400
