"""Twilio's requests to a server: form parameters and their signature.

Sources: https://www.twilio.com/docs/usage/webhooks/voice-webhooks (parameters),
https://www.twilio.com/docs/usage/security#validating-requests (signature)
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self
from urllib.parse import urljoin, urlsplit, urlunsplit

import httpx

from convonet.far_end import names

# As long as Twilio waits for an answer.
ANSWER_SECONDS = 15.0
USER_AGENT = "TwilioProxy/1.1"
_LOCAL = {"https": "http", "wss": "ws"}


def signature(auth_token: str, url: str, parameters: Mapping[str, str]) -> str:
    """`X-Twilio-Signature` of a request with these form parameters (none: of its URL alone)."""
    # What follows # tells Twilio how to connect, and is neither sent nor signed:
    # https://www.twilio.com/docs/usage/webhooks/webhooks-connection-overrides
    signed = url.partition("#")[0] + "".join(name + parameters[name] for name in sorted(parameters))
    digest = hmac.new(auth_token.encode(), signed.encode(), hashlib.sha1).digest()
    return base64.b64encode(digest).decode()


class NoAnswer(Exception):
    """The server answered nothing that Twilio could use; the text says what."""


@dataclass(frozen=True, slots=True)
class Account:
    sid: str = names.ACCOUNT
    auth_token: str = names.AUTH_TOKEN


@dataclass(frozen=True, slots=True)
class Route:
    """How a public address is reached here: past the proxy that would end its TLS."""

    public: str = ""
    """https://host[:port], as the server knows itself; empty when every URL is direct."""
    local: str = ""
    """http://127.0.0.1:port."""

    def of(self, url: str) -> tuple[str, dict[str, str]]:
        """(where to connect, the headers a proxy adds)."""
        parts, public = urlsplit(url), urlsplit(self.public)
        if not self.public or parts.netloc != public.netloc:
            return url, {}
        scheme = _LOCAL.get(parts.scheme, parts.scheme)
        local = parts._replace(scheme=scheme, netloc=urlsplit(self.local).netloc)
        forwarded = "https" if parts.scheme in _LOCAL else "http"
        headers = {
            "Host": parts.netloc,
            "X-Forwarded-Proto": forwarded,
            "X-Forwarded-For": "198.51.100.7",
        }
        return urlunsplit(local), headers


class Webhooks:
    """`signed` off sends none of the headers that show who asks."""

    def __init__(
        self, account: Account | None = None, route: Route | None = None, *, signed: bool = True
    ) -> None:
        self.account, self._route = account or Account(), route or Route()
        self._signed = signed
        self._client = httpx.AsyncClient(timeout=ANSWER_SECONDS, trust_env=False)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._client.aclose()

    def socket(self, url: str) -> tuple[str, dict[str, str]]:
        """(where to connect, headers of the handshake) for a stream's URL."""
        address, headers = self._route.of(url)
        return address, {**headers, **self._proof(url, {}), "User-Agent": USER_AGENT}

    async def ask(
        self, url: str, parameters: Mapping[str, str], *, method: str = "POST", base: str = ""
    ) -> tuple[str, str]:
        """(the answer, the URL it came from); raises NoAnswer. `base`: of relative URLs."""
        url = urljoin(base, url)
        for _ in range(3):
            response = await self._request(url, parameters, method)
            if not response.has_redirect_location:
                break
            url, method = urljoin(url, response.headers["Location"]), "GET"
        if not response.is_success:
            raise NoAnswer(f"{method} {urlsplit(url).path} answered {response.status_code}")
        return response.text, url

    async def _request(
        self, url: str, parameters: Mapping[str, str], method: str
    ) -> httpx.Response:
        if method == "GET":
            url, parameters = str(httpx.URL(url).copy_merge_params(parameters)), {}
        address, headers = self._route.of(url)
        headers |= {"User-Agent": USER_AGENT, **self._proof(url, parameters)}
        try:
            return await self._client.request(
                method, address, data=dict(parameters) or None, headers=headers
            )
        except httpx.HTTPError as error:
            path = urlsplit(url).path
            raise NoAnswer(f"{method} {path}: {type(error).__name__} {error}") from error

    def _proof(self, url: str, parameters: Mapping[str, str]) -> dict[str, str]:
        if not self._signed:
            return {}
        return {"X-Twilio-Signature": signature(self.account.auth_token, url, parameters)}
