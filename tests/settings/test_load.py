"""A wrong or unknown variable stops the start with a line that says what to write."""

from pathlib import Path

import pytest

from settings import SettingsError, describe, load
from settings.values import Settings


def test_without_variables_everything_has_its_default() -> None:
    """Foreign variables are nobody's business here."""
    assert load({"PATH": "/bin", "MUSTERED": "1"}) == Settings()


def test_variables_reach_their_fields() -> None:
    """Numbers, switches and paths are read from text; paths become absolute."""
    settings = load({"MUSTER_HTTP_PORT": "9", "MUSTER_DEVICES_AUTO_APPROVE": "true", "MUSTER_DATA": "here"})
    assert settings.http.port == 9
    assert settings.devices.auto_approve is True
    assert settings.local.data == Path("here").absolute()


def test_the_addresses_of_outside_servers_have_short_names() -> None:
    """Naming one is what keeps `muster up` from starting a local one."""
    settings = load({"MUSTER_KAFKA": "kafka:9092", "MUSTER_CLICKHOUSE": "https://clickhouse:8443"})
    assert not settings.kafka.is_local
    assert settings.clickhouse.address == "https://clickhouse:8443"


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("MUSTER_HTTP_PORT", "http", "write a whole number (port of the API)"),
        ("MUSTER_HTTP_PORT", "70000", "<= 65535"),
        ("MUSTER_DEVICES_AUTO_APPROVE", "maybe", "write true or false"),
        ("MUSTER_HEARTBEATS_RETENTION_GUARD_SHARE", "half", "write a number"),
        ("MUSTER_DATA", "", "path"),
        ("MUSTER_DEVICES_INITIAL_NAMESPACE", "Bad NS", "namespace that devices ask for"),
        ("MUSTER_CLICKHOUSE", "127.0.0.1:8123", "http(s)://host:port"),
        ("MUSTER_CLICKHOUSE", "http://", "http(s)://host:port"),
        ("MUSTER_CLICKHOUSE", "http://somewhere/else", "http(s)://host:port"),
    ],
)
def test_an_unusable_value_is_named_with_what_to_write(name: str, text: str, said: str) -> None:
    """An address without its scheme, above all: it must not become the default one silently."""
    with pytest.raises(SettingsError) as error:
        load({name: text})
    assert str(error.value).startswith(f"{name}={text!r}: ")
    assert said in str(error.value)


def test_an_unknown_variable_names_the_nearest_known_one() -> None:
    """A misspelt setting must not be ignored."""
    with pytest.raises(SettingsError, match="did you mean MUSTER_HTTP_PORT"):
        load({"MUSTER_HTTP_PROT": "80"})


def test_every_setting_says_what_it_means() -> None:
    """`muster settings` has nothing else to show."""
    assert [variable.name for variable in describe() if not variable.description] == []
