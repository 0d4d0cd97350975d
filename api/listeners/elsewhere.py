"""What each plane answers to the other's calls, once they have addresses of their own."""

from api.answers import Answer, error_answer
from api.asgi import Receive, Scope, Send
from fleet.errors import NotFoundError


class DevicePlaneElsewhere:
    """In the device plane's place at the management address: there nobody's certificate was looked at."""

    async def answer(self, method: str, raw_path: bytes, body: bytes) -> Answer:  # noqa: ARG002 - the protocol's
        """Refuse, whatever it is."""
        return error_answer(NotFoundError("devices' calls have an address of their own: MUSTER_DEVICE_PORT"))

    def refuse(self, method: str, raw_path: bytes, error: Exception) -> Answer:  # noqa: ARG002 - the protocol's
        """The answer to a call whose body could not be taken."""
        return error_answer(error)


async def management_elsewhere(_scope: Scope, _receive: Receive, send: Send) -> None:
    """An ASGI application that answers 404, behind the device plane at its own address."""
    answer = error_answer(NotFoundError("only devices' calls are taken here: MUSTER_HTTP_PORT is for everything else"))
    await send({"type": "http.response.start", "status": answer.status, "headers": answer.headers})
    await send({"type": "http.response.body", "body": answer.body})
