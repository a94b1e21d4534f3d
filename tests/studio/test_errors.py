from studiogate_studio.errors import before_quotes


def test_what_playwright_quotes_of_the_page_isnt_logged() -> None:
    """Its call log shows elements with their text, and so prompts; only what went wrong is kept."""
    message = "Locator.click: Timeout 10ms exceeded.\nCall log:\n  - locator resolved to <textarea>a prompt</textarea>"

    assert before_quotes(message) == "Locator.click: Timeout 10ms exceeded."
    assert before_quotes("") == ""
