from pathlib import Path
from typing import Any

import attrs
import pytest

from studiogate.config import Config
from studiogate.errors import ConfigurationError
from studiogate_helper_backend import HelperBackendSettings
from tests.core.backends import config


def made(environ: dict[str, str] | None = None, **table: Any) -> HelperBackendSettings:
    """Make the settings of a table."""
    base = config("helper_backend")
    there: Config = attrs.evolve(base, tables={"helper_backend": table}, environ=environ or {})
    return there.settings("helper_backend", HelperBackendSettings)


def test_the_key_comes_from_the_environment() -> None:
    """It need not stand in a file, and is in no text made of the settings."""
    settings = made({"STUDIOGATE_HELPER_BACKEND_API_KEY": "sk-secret"})

    assert settings.api_key == "sk-secret"
    assert "sk-secret" not in repr(settings)


def test_the_guides_variable_names_a_helper() -> None:
    """With nothing else set that is the protocol too; an OpenAI-compatible service's address comes before it."""
    variable = {"GUI_DEFAULT_HELPER_ENDPOINT": "http://helper:3121"}

    assert (made(variable).protocol, made(variable).address) == ("helper", "http://helper:3121")
    assert made(variable, base_url="http://127.0.0.1/v1").address == "http://127.0.0.1/v1"
    assert made(variable, base_url="http://127.0.0.1/v1", protocol="helper").address == "http://helper:3121"
    assert (made().protocol, made().address, made().missing) == ("openai", None, "base_url")


def test_models_are_named_as_clients_name_them() -> None:
    """Our ids lose the prefix that clients may write; the service's stay as they are."""
    assert made(models={"models/gpt-4o": "models/x"}).models == {"gpt-4o": "models/x"}


def test_the_file_is_relative_to_the_configuration() -> None:
    """As every path is."""
    assert made(ca="ca.pem").ca == Path("/somewhere/ca.pem")


@pytest.mark.parametrize(
    ("table", "message"),
    [
        ({"protocol": "http"}, "protocol: must be one of"),
        ({"base_url": "api.example.com/v1"}, "base_url: must be an address such as https://api.example.com/v1"),
        ({"base_url": "ftp://example.com"}, "base_url: must be an address such as"),
        ({"base_url": "https://"}, "base_url: must be an address such as"),
        ({"base_url": "https://example.com:99999/v1"}, "base_url: must be an address such as"),
        ({"base_url": "https://exa mple.com"}, "base_url: must be an address such as"),
        ({"base_url": "https://me:secret@example.com"}, "base_url: must not hold a user and password"),
        ({"api_key": ""}, "api_key: must be printable ASCII characters without spaces"),
        ({"api_key": "secret key"}, "api_key: must be printable ASCII"),
        ({"api_key": "secret\nkey"}, "api_key: must be printable ASCII"),
        ({"api_key": "sécret"}, "api_key: must be printable ASCII"),
        ({"models": {"a": ""}}, "models: must not hold empty ids"),
        ({"models": {"models/": "x"}}, "models: must not hold empty ids"),
        ({"models": ["a"]}, "models: must be an object"),
        ({"limit_field": "limit"}, "limit_field: must be one of max_tokens, max_completion_tokens"),
        ({"connect_s": 0}, "connect_s: must be more than 0"),
        ({"retries": 11}, "retries: must be from 0 to 10"),
        ({"connections": 0}, "connections: must be more than 0"),
        ({"answer_bytes": 0}, "answer_bytes: must be more than 0"),
        ({"endpoint": "helper:3121"}, "endpoint: must be an address such as"),
        ({"endpoint": "http://me:secret@helper"}, "endpoint: must not hold a user and password"),
        ({"proxy": "http://127.0.0.1:3120"}, "proxy: must be host:port such as 127.0.0.1:3121"),
        ({"proxy": "127.0.0.1:70000"}, "proxy: must be host:port"),
        ({"lag_s": 0}, "lag_s: must be more than 0"),
        ({"settle_s": 6}, "settle_s: must be from 0 to 5"),
        ({"base_uri": "x"}, "base_uri: is not known here. Did you mean 'base_url'?"),
    ],
)
def test_a_wrong_setting_is_refused_without_quoting_a_secret(table: dict[str, Any], message: str) -> None:
    """By its name, and with what would be right."""
    with pytest.raises(ConfigurationError) as refusal:
        made(**table)

    assert f"[helper_backend] {message}" in str(refusal.value)
    assert "secret" not in str(refusal.value).lower()
    assert "sécret" not in str(refusal.value)
