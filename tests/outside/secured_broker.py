"""A real broker that asks who calls, in each way an outside cluster may: passwords over TLS, or certificates."""

from pathlib import Path
from typing import Final

from confluent_kafka.admin import (
    AdminClient,
    ScramCredentialInfo,
    ScramMechanism,
    UserScramCredentialUpsertion,
)

from local.kafka.broker import KafkaBroker
from tests.api.listeners.authority import Pair
from tests.conftest import CACHE

USER, PASSWORD = "muster", "made-for-this-test"
PORTS: Final = 4
"""Consecutive ones: plain, its controller's, passwords, certificates."""

_LOGINS: Final = "org.apache.kafka.common.security"


class SecuredBroker(KafkaBroker):
    """Listens at `passwords` with TLS and SASL, at `certificates` with TLS for clients that show one of the CA's.

    Its plain port serves its own readiness, and the test that makes users.
    """

    def __init__(self, folder: Path, port: int, pair: Pair, authority: Path) -> None:
        super().__init__(folder, CACHE, port)
        self._folder = folder
        self._first_port = port
        self._pair = pair
        self._authority = authority
        self.passwords = f"127.0.0.1:{port + 2}"
        self.certificates = f"127.0.0.1:{port + 3}"

    def properties(self, records: Path) -> str:
        """As of a plain one, and two listeners more."""
        keystore = self._folder / "keystore.pem"
        keystore.write_bytes(self._pair.key.read_bytes() + self._pair.certificate.read_bytes())
        plain = f"PLAINTEXT://127.0.0.1:{self._first_port}"
        secured = f"PASSWORDS://{self.passwords},CERTIFICATES://{self.certificates}"
        scram = f"{_LOGINS}.scram.ScramLoginModule required;"
        return f"""{super().properties(records)}
listeners={plain},CONTROLLER://127.0.0.1:{self._first_port + 1},{secured}
advertised.listeners={plain},{secured}
listener.security.protocol.map=CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT,PASSWORDS:SASL_SSL,CERTIFICATES:SSL
ssl.keystore.type=PEM
ssl.keystore.location={keystore}
ssl.truststore.type=PEM
ssl.truststore.location={self._authority}
listener.name.certificates.ssl.client.auth=required
sasl.enabled.mechanisms=PLAIN,SCRAM-SHA-256,SCRAM-SHA-512
listener.name.passwords.plain.sasl.jaas.config={_LOGINS}.plain.PlainLoginModule required user_{USER}="{PASSWORD}";
listener.name.passwords.scram-sha-256.sasl.jaas.config={scram}
listener.name.passwords.scram-sha-512.sasl.jaas.config={scram}
"""

    def start(self) -> None:
        """Run it, and make the user of the passwords that the broker itself keeps."""
        super().start()
        mechanisms = (ScramMechanism.SCRAM_SHA_256, ScramMechanism.SCRAM_SHA_512)
        admin = AdminClient({"bootstrap.servers": self.bootstrap})
        # One alteration of a user at a time.
        for mechanism in mechanisms:
            kept = UserScramCredentialUpsertion(USER, ScramCredentialInfo(mechanism, 4096), PASSWORD.encode())
            admin.alter_user_scram_credentials([kept])[USER].result(10)
