"""The HTTP client of the sinks: one request at a time over HTTP, at a bounded rate, its answer read up to a bound."""

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
"""Redirects for one request: what Azure's own clients follow."""
_ANSWER_BYTES = 1024 * 1024
"""Far more than an error for each of 500 items takes."""
_LEVEL = 1
"""Of gzip: envelopes repeat themselves so much that more effort saves little, and it holds up everything else."""
_REDIRECTS = {307, 308}


@dataclass(frozen=True, slots=True)
class Silence:
    """Why there is no answer; the request may have been taken all the same."""

    why: str
    delay: RetryDelay = RetryDelay.SOON


class HttpClient:
    """Posts to where a route leads, with a token if there is one; follows redirects as far as they are allowed."""

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
        """Send a body; return the answer, or why there is none. A redirect that is not allowed is the answer."""
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
        """Let go of connections; a later request makes new ones."""
        session, self._session = self._session, None
        if session is not None:
            await session.close()

    async def _try(self, packed: bytes) -> HttpResponse | Silence:
        try:
            async with asyncio.timeout(self._terms.answer_seconds):
                headers = await self._authorized()
        except TimeoutError:
            return Silence("a token could not be had in time", RetryDelay.SLOWLY)
        except Exception as error:  # whose token it is, and how that fails, is not known here
            return Silence(f"configuration: no token could be had ({type(error).__name__})", RetryDelay.SLOWLY)
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
        except ValueError:  # a header or a URL that cannot be written; its text would show it
            return Silence("configuration: the request cannot be written", RetryDelay.SLOWLY)

    async def _authorized(self) -> dict[str, str]:
        """Ask for the token each time: who hands it in keeps it for as long as it lasts."""
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
