"""What nobody may write down; `house.running_gateway` looks for it in the log of every gateway that the tests run."""

from .house import Gateway

PROMPT = "a prompt that nobody may write down"


def test_prompts_and_cookies_are_in_no_log_metric_or_error(gateway: Gateway) -> None:
    """The browser's cookies and what was asked are known here, and found where they are."""
    assert gateway.ask(PROMPT).status_code == 200
    refused = [gateway.ask(PROMPT, model="no-such-model"), gateway.ask(PROMPT, temperature="hot")]

    assert [each.status_code for each in refused] == [422, 400]
    assert len(gateway.secrets) > 1
    assert all(gateway.leaked(f"so it was {secret}, indeed") for secret in gateway.secrets)
    assert not any(gateway.leaked(each.text) for each in refused)
    assert not gateway.leaked(gateway.said())
    assert "studiogate_requests_total" in gateway.metrics()
    assert not gateway.leaked(gateway.metrics())
