import pytest

from studiogate_simulator.account import AUTH_COOKIES
from studiogate_simulator.hosts import ACCOUNTS_HOST, PAGE_HOST

from .harness import Running


@pytest.mark.parametrize(
    "path", ["/prompts/new_chat", "/app/prompts/new_chat", "/prompts/abc", "/prompts/new_chat?model=x"]
)
async def test_entries(simulator: Running, path: str) -> None:
    """Every address of a chat is the same page, under its policy."""
    async with simulator.client(host=PAGE_HOST, cookie=simulator.cookie) as client:
        answer = await client.get(path)

    assert answer.status_code == 200
    assert "<ms-app>" in answer.text
    assert "require-trusted-types-for 'script'" in answer.headers["content-security-policy"]


async def test_signed_out(simulator: Running) -> None:
    """Without cookies the page leads to the accounts host, and names where to come back to."""
    async with simulator.client(host=PAGE_HOST) as client:
        answer = await client.get("/prompts/new_chat?model=x")

    assert answer.status_code == 302
    assert answer.headers["location"].startswith(
        "https://accounts.google.com/ServiceLogin?continue=https%3A%2F%2Faistudio"
    )
    assert "model%3Dx" in answer.headers["location"]


async def test_sign_in_form(simulator: Running) -> None:
    """The accounts host has a sign-in form."""
    async with simulator.client(host=ACCOUNTS_HOST) as client:
        answer = await client.get("/ServiceLogin")

    assert "<title>Sign in</title>" in answer.text
    assert 'id="identifierId"' in answer.text


async def test_the_form_signs_in(simulator: Running) -> None:
    """Whoever sends it gets the account's cookies, and is led back to the page."""
    path = f"/ServiceLogin?continue=https%3A%2F%2F{PAGE_HOST}%2Fprompts%2Fnew_chat%3Fmodel%3Dx"
    async with simulator.client(host=ACCOUNTS_HOST) as client:
        answer = await client.post(path, data={"identifier": "somebody@example.com"})
    cookies = {each.split("=")[0] for each in answer.headers.get_list("set-cookie")}

    assert (answer.status_code, answer.headers["location"]) == (303, f"https://{PAGE_HOST}/prompts/new_chat?model=x")
    assert cookies >= set(AUTH_COOKIES)


async def test_the_browsers_own_questions_sign_nobody_in(simulator: Running) -> None:
    """Chromium asks by POST which accounts there are."""
    async with simulator.client(host=ACCOUNTS_HOST) as client:
        answer = await client.post("/ListAccounts?json=standard")

    assert (answer.status_code, "set-cookie" in answer.headers) == (404, False)


@pytest.mark.parametrize("target", ["", "https://example.com/", f"https://{PAGE_HOST}.example.com/"])
async def test_the_form_leads_to_the_page_only(simulator: Running, target: str) -> None:
    """Whatever address it was given."""
    async with simulator.client(host=ACCOUNTS_HOST) as client:
        answer = await client.post("/ServiceLogin", params={"continue": target})

    assert answer.headers["location"] == f"https://{PAGE_HOST}/"


@pytest.mark.parametrize("name", ["../app.py", "index.html", "nothing.js", ".hidden", ""])
async def test_assets_only(simulator: Running, name: str) -> None:
    """Nothing but the page's assets is served."""
    async with simulator.client(host=PAGE_HOST) as client:
        assert (await client.get(f"/static/{name}")).status_code in {302, 404}


async def test_scripts(simulator: Running) -> None:
    """Scripts have the type that module loading wants."""
    async with simulator.client(host=PAGE_HOST) as client:
        answer = await client.get("/static/app.js")

    assert answer.headers["content-type"].startswith("text/javascript")


async def test_elsewhere(simulator: Running) -> None:
    """Other pages are not played, and neither are other hosts; the root leads to a new chat."""
    async with simulator.client(host=PAGE_HOST, cookie=simulator.cookie) as client:
        assert (await client.get("/apps")).status_code == 404
        assert (await client.get("/")).headers["location"] == "/prompts/new_chat"
        assert (await client.post("/_/MakerSuite/jserror?error=x")).status_code == 204
    async with simulator.client(host="example.com") as client:
        assert (await client.get("/")).status_code == 421
