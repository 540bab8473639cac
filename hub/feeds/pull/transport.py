"""HTTP with bounds: no upstream can make a pull hang or fill the memory."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import requests
from requests.adapters import HTTPAdapter

from hub.errors import TooLarge, Unavailable

CHUNK = 65_536
CONNECT_SECONDS = 10
MOST_REDIRECTS = 5


@dataclass(frozen=True, slots=True)
class Bounds:
    """What one pull may take: bytes of one answer, seconds of one answer, answers in all."""

    answer_bytes: int
    answer_seconds: float
    answers: int


class BoundedAdapter(HTTPAdapter):
    """Reads each answer itself, up to a size and a time."""

    def __init__(self, bounds: Bounds) -> None:
        super().__init__()
        self._bounds = bounds

    def send(
        self,
        request: requests.PreparedRequest,
        stream: bool = False,  # noqa: ARG002 (always streamed: that is the point)
        timeout: Any = None,  # noqa: ARG002 (the bounds decide)
        verify: bool | str = True,
        cert: Any = None,
        proxies: Mapping[str, str] | None = None,
    ) -> requests.Response:
        """Send ``request``. Raises TooLarge and Unavailable where the answer is over its bounds."""
        deadline = time.monotonic() + self._bounds.answer_seconds
        wait = (CONNECT_SECONDS, self._bounds.answer_seconds)
        response = super().send(request, stream=True, timeout=wait, verify=verify, cert=cert, proxies=proxies)
        content = bytearray()
        for chunk in response.iter_content(CHUNK):
            content += chunk
            if len(content) > self._bounds.answer_bytes:
                response.close()
                raise TooLarge(f"the answer is larger than {self._bounds.answer_bytes} bytes", where=request.url)
            if time.monotonic() > deadline:
                response.close()
                raise Unavailable(
                    f"the answer took longer than {self._bounds.answer_seconds:g} seconds", where=request.url
                )
        response._content = bytes(content)  # what requests itself keeps after reading
        return response


def bounded_session(bounds: Bounds, auth: tuple[str, str] | None = None) -> requests.Session:
    """A session whose answers are bounded. It takes nothing from the environment: no proxy, no .netrc."""
    session = requests.Session()
    session.trust_env = False
    session.max_redirects = MOST_REDIRECTS
    session.auth = auth
    session.headers["User-Agent"] = "fraud-threat-hub"
    adapter = BoundedAdapter(bounds)
    session.mount("https://", adapter)
    session.mount("http://", adapter)
    return session
