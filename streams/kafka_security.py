"""How clients prove who they are to outside brokers, and the brokers to them: once, for each of the three clients."""

import ssl
from pathlib import Path
from typing import Any, Final, NamedTuple

from settings import KafkaSettings, SettingsError
from settings.named_files import NamedFile, read_named
from settings.pem_files import load_pair, verifying


class KafkaSecurity(NamedTuple):
    """TLS and credentials. Without a `user` brokers are told nothing but, perhaps, a client certificate."""

    is_tls: bool = False
    ca: Path | None = None
    certificate: Path | None = None
    key: Path | None = None
    mechanism: str = ""
    user: str = ""
    password: str = ""

    @property
    def protocol(self) -> str:
        """Kafka's name for the combination."""
        return ("SASL_" if self.user else "") + ("SSL" if self.is_tls else "PLAINTEXT")

    def context(self) -> ssl.SSLContext | None:
        """What verifies the brokers; None without TLS."""
        if not self.is_tls:
            return None
        context = verifying(NamedFile("MUSTER_KAFKA_CA", self.ca) if self.ca else None)
        if self.certificate and self.key:
            certificate = NamedFile("MUSTER_KAFKA_CERTIFICATE", self.certificate)
            load_pair(context, certificate, NamedFile("MUSTER_KAFKA_KEY", self.key))
        return context

    def for_aiokafka(self) -> dict[str, Any]:
        """Arguments of its clients besides the servers."""
        arguments: dict[str, Any] = {"security_protocol": self.protocol, "ssl_context": self.context()}
        if self.user:
            arguments |= {
                "sasl_mechanism": self.mechanism,
                "sasl_plain_username": self.user,
                "sasl_plain_password": self.password,
            }
        return arguments

    def for_librdkafka(self) -> dict[str, str]:
        """Settings of its clients besides the servers."""
        files = {
            "ssl.ca.location": self.ca,
            "ssl.certificate.location": self.certificate,
            "ssl.key.location": self.key,
        }
        given = {"security.protocol": self.protocol} | {name: str(file) for name, file in files.items() if file}
        if self.user:
            given |= {"sasl.mechanism": self.mechanism, "sasl.username": self.user, "sasl.password": self.password}
        return given


NO_SECURITY: Final = KafkaSecurity()
"""As the local broker has it, on loopback."""


def kafka_security(kafka: KafkaSettings) -> KafkaSecurity:
    """What the settings ask for. Raises SettingsError for a half of it or for files that cannot be used."""
    if kafka.is_local:
        return NO_SECURITY
    if bool(kafka.user) != bool(kafka.password_file):
        raise SettingsError("MUSTER_KAFKA_USER and MUSTER_KAFKA_PASSWORD_FILE are given together or not at all")
    if bool(kafka.certificate) != bool(kafka.key):
        raise SettingsError("MUSTER_KAFKA_CERTIFICATE and MUSTER_KAFKA_KEY are given together or not at all")
    files = (kafka.ca, kafka.certificate, kafka.key)
    security = KafkaSecurity(
        kafka.tls or any(files),
        *files,
        kafka.mechanism,
        kafka.user,
        _password(kafka.password_file) if kafka.password_file else "",
    )
    security.context()
    return security


def _password(file: Path) -> str:
    named = NamedFile("MUSTER_KAFKA_PASSWORD_FILE", file)
    try:
        return read_named(named).decode().strip()
    except UnicodeDecodeError as error:
        raise SettingsError(f"{named} must hold the password as text (UTF-8)") from error
