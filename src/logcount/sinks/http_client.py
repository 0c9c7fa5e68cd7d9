"""The HTTP client of the sinks: one request at a time, at a limited rate, with a limited answer size."""

from __future__ import annotations

import asyncio
import gzip
from dataclasses import dataclass
from typing import TYPE_CHECKING

from aiohttp import ClientConnectorError, ClientError, ClientResponse, ClientSession, ClientTimeout, DummyCookieJar
from asyncio_throttle.throttler import Throttler

from logcount.errors import Misconfigured
from logcount.sinks.outcomes import HttpResponse
from logcount.sinks.pauses import RetryDelay

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

    from logcount.sinks.clock import Terms
    from logcount.sinks.routes import Route

HOPS_AT_MOST = 10
"""The most redirects for one request, as in Azure's own clients."""
_ANSWER_BYTES = 1024 * 1024
"""Far more than 500 items with an error each need."""
_LEVEL = 1
"""The gzip level: envelopes are so repetitive that a higher level saves little, and it would block the event loop."""
_REDIRECTS = {307, 308}


@dataclass(frozen=True, slots=True)
class Silence:
    """Why there is no answer; the service may still have accepted the request."""

    why: str
    delay: RetryDelay = RetryDelay.SOON


class HttpClient:
    """Posts to the URL of a route, with a token if there is one; follows allowed redirects."""

    def __init__(
        self,
        route: Route,
        terms: Terms,
        headers: Mapping[str, str],
        token: Callable[[], Awaitable[str]] | None,
    ) -> None:
        if token is not None and not route.keeps_secrets:
            raise Misconfigured("a token is sent over https only; expected an endpoint that begins with https://")
        self.route = route
        self._terms = terms
        self._headers = {**headers, "Content-Encoding": "gzip"}
        self._token = token
        self._throttler = Throttler(terms.rate)
        self._session: ClientSession | None = None

    async def post(self, body: bytes) -> HttpResponse | Silence:
        """Send a body; return the answer (a redirect if it is not allowed), or why there is none."""
        packed = gzip.compress(body, _LEVEL, mtime=0)
        for _ in range(HOPS_AT_MOST + 1):
            async with self._throttler:
                answer = await self._try(packed)
            if isinstance(answer, Silence) or answer.status not in _REDIRECTS:
                return answer
            if not self.route.follow(answer.headers.get("location", "")):
                return answer
        return answer

    async def close(self) -> None:
        """Close connections; a later request opens new ones."""
        session, self._session = self._session, None
        if session is not None:
            await session.close()

    async def _try(self, packed: bytes) -> HttpResponse | Silence:
        try:
            async with asyncio.timeout(self._terms.answer_seconds):
                headers = await self._authorized()
        except TimeoutError:
            return Silence("no token was obtained in time", RetryDelay.SLOWLY)
        except Exception as error:  # the token provider is not known here, nor its errors
            return Silence(f"configuration: no token could be obtained ({type(error).__name__})", RetryDelay.SLOWLY)
        session, host = self._open(), self.route.host
        try:
            async with session.post(self.route.url, data=packed, headers=headers, allow_redirects=False) as response:
                return await _read(response, host)
        except TimeoutError:
            return Silence("it did not come in time")
        except ClientConnectorError as error:
            return Silence(f"it cannot be reached ({type(error).__name__})")
        except (ClientError, OSError):
            return Silence("the connection broke")
        except ValueError:  # an invalid header or URL; the error's text would show it
            return Silence("configuration: the request cannot be written", RetryDelay.SLOWLY)

    async def _authorized(self) -> dict[str, str]:
        """Request the token each time: the provider caches it while it is valid."""
        if self._token is None:
            return self._headers
        return {**self._headers, "Authorization": f"Bearer {await self._token()}"}

    def _open(self) -> ClientSession:
        if self._session is None:
            timeout = ClientTimeout(total=self._terms.answer_seconds, sock_connect=self._terms.connect_seconds)
            self._session = ClientSession(timeout=timeout, cookie_jar=DummyCookieJar())
        return self._session


async def _read(response: ClientResponse, host: str) -> HttpResponse:
    body = bytearray()
    async for piece in response.content.iter_any():
        body += piece
        if len(body) > _ANSWER_BYTES:
            response.close()
            break
    headers = {name.lower(): value for name, value in response.headers.items()}
    return HttpResponse(response.status, host, headers, bytes(body))
