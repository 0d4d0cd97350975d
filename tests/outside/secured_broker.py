"""A real broker that asks for TLS and a password, as an outside cluster does."""

from pathlib import Path
from typing import Final

from local.child import Program
from local.kafka.broker import KafkaBroker
from local.kafka.jars import Progress
from tests.api.listeners.authority import Pair

USER, PASSWORD = "muster", "made-for-this-test"
_LOGIN: Final = "org.apache.kafka.common.security.plain.PlainLoginModule required"


class SecuredBroker(KafkaBroker):
    """Listens at `secured` with TLS and SASL; its plain port serves its own readiness alone."""

    def __init__(self, data: Path, cache: Path, port: int, pair: Pair) -> None:
        super().__init__(data, cache, port)
        self._folder = data
        self._plain_port = port
        self._pair = pair
        self.secured = f"127.0.0.1:{port + 2}"

    def prepare(self, progress: Progress, log: Path | None = None) -> Program:
        """The last value of a property counts."""
        program = super().prepare(progress, log)
        keystore = self._folder / "keystore.pem"
        keystore.write_bytes(self._pair.key.read_bytes() + self._pair.certificate.read_bytes())
        plain = f"PLAINTEXT://127.0.0.1:{self._plain_port}"
        with (self._folder / "server.properties").open("a") as properties:
            properties.write(f"""
listeners={plain},CONTROLLER://127.0.0.1:{self._plain_port + 1},SASL_SSL://{self.secured}
advertised.listeners={plain},SASL_SSL://{self.secured}
listener.security.protocol.map=CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT,SASL_SSL:SASL_SSL
ssl.keystore.type=PEM
ssl.keystore.location={keystore}
sasl.enabled.mechanisms=PLAIN
listener.name.sasl_ssl.plain.sasl.jaas.config={_LOGIN} user_{USER}="{PASSWORD}";
""")
        return program
