"""Every file that the settings name is looked at before anything is started, so that a wrong one is said at once."""

from api.listeners.admin_token import read_admin_token
from api.listeners.tls_context import device_paths, management_paths, tls_context
from cli.server_address import trusted
from settings import Settings
from settings.named_files import NamedFile, read_named
from storage.client import require_usable
from streams.kafka_security import kafka_security


def check_named_files(settings: Settings) -> None:
    """Raises SettingsError, a line with the setting, the file and what to change."""
    for paths in (management_paths(settings), device_paths(settings)):
        if paths:
            tls_context(paths, settings.tls.minimum)
    if settings.http.token_file:
        read_admin_token(settings.http.token_file)
    if settings.clickhouse.password_file:
        read_named(NamedFile("MUSTER_CLICKHOUSE_PASSWORD_FILE", settings.clickhouse.password_file))
    if settings.http.ca:
        trusted(settings.http.ca)
    require_usable(settings.clickhouse)
    kafka_security(settings.kafka)
