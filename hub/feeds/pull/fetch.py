"""Fetch what is new from an upstream, by protocol.

Each fetcher yields payloads (name, bytes) as they come, and keeps in ``state`` what its next call needs.
Errors are HubErrors; a page that an upstream repeats is fetched once more and does no harm, since everything
is recognised by id and version further on.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from functools import partial
from typing import Any, Protocol
from urllib.parse import urljoin, urlparse

import requests
import taxii2client.common
import taxii2client.v20
import taxii2client.v21
from requests.exceptions import HTTPError, RequestException
from taxii2client.exceptions import TAXIIServiceException

from hub.errors import InvalidInput, NotFound, Unavailable
from hub.feeds.pull.transport import Bounds, bounded_session
from hub.feeds.readers.misp_feed import events_in

NOT_MODIFIED = 304
LIMIT = 1000
EVENT_NAME = re.compile(r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
ADDED_LAST = "X-TAXII-Date-Added-Last"
Payload = tuple[str, bytes]
State = dict[str, Any]


class Fetch(Protocol):
    """Yields the payloads of a feed that are new since ``state``, which it brings up to date at its end."""

    def __call__(self, url: str, auth: tuple[str, str] | None, bounds: Bounds, state: State) -> Iterator[Payload]:
        """See the class."""
        ...


def over_http(url: str, auth: tuple[str, str] | None, bounds: Bounds, state: State) -> Iterator[Payload]:
    """One file, unless the validators of the last time still hold (RFC 9110 section 13)."""
    conditions = {"If-None-Match": state.get("etag"), "If-Modified-Since": state.get("last_modified")}
    with bounded_session(bounds, auth) as session:
        answer = _get(session, url, {name: value for name, value in conditions.items() if value})
    if answer.status_code == NOT_MODIFIED:
        return
    yield urlparse(url).path.rsplit("/", 1)[-1], answer.content
    state["etag"] = answer.headers.get("ETag")
    state["last_modified"] = answer.headers.get("Last-Modified")


def over_misp(url: str, auth: tuple[str, str] | None, bounds: Bounds, state: State) -> Iterator[Payload]:
    """A MISP feed: its manifest names the events; those that are new or changed are fetched.

    An event that the manifest names and the server does not have is passed over, and asked for again next time.
    """
    known: dict[str, Any] = state.setdefault("events", {})
    with bounded_session(bounds, auth) as session:
        manifest = _get(session, urljoin(url, "manifest.json"), {})
        for uuid, stamp in list(events_in(manifest.content).items())[: bounds.answers]:
            if not EVENT_NAME.fullmatch(uuid):
                continue  # it would be part of an address
            if known.get(uuid) == stamp:
                continue
            try:
                answer = _get(session, urljoin(url, f"{uuid}.json"), {})
            except NotFound:
                continue
            yield f"{uuid}.json", answer.content
            known[uuid] = stamp


def over_taxii21(url: str, auth: tuple[str, str] | None, bounds: Bounds, state: State) -> Iterator[Payload]:
    """A TAXII 2.1 collection from where the last pull ended.

    It ends when the server says so, when a server repeats a ``next`` or gives ``more`` without a way on, and
    after ``bounds.answers`` pages at the latest.
    """
    last_added: list[str] = []
    with bounded_session(bounds, auth) as session:
        session.hooks["response"].append(lambda r, **_: last_added.append(r.headers.get(ADDED_LAST) or ""))
        collection = taxii2client.v21.Collection(url, conn=_connection(session, "2.1"))
        asked: dict[str, Any] = {"limit": LIMIT}
        if state.get("added_after"):
            asked["added_after"] = state["added_after"]
        seen: set[str] = set()
        for number in range(bounds.answers):
            envelope = _taxii(partial(collection.get_objects, **asked), url)
            if envelope.get("objects"):
                yield f"page-{number}.json", json.dumps(envelope).encode()
            state["added_after"] = last_added[-1] or state.get("added_after")
            following = envelope.get("next")
            position = following or state["added_after"]
            if not envelope.get("more") or not position or position in seen:
                return
            seen.add(position)
            asked = {"limit": LIMIT, **({"next": following} if following else {"added_after": position})}


def over_taxii20(url: str, auth: tuple[str, str] | None, bounds: Bounds, state: State) -> Iterator[Payload]:
    """A TAXII 2.0 collection by ranges, from the time of the last pull on."""
    with bounded_session(bounds, auth) as session:
        collection = taxii2client.v20.Collection(url, conn=_connection(session, "2.0"))
        newest = state.get("added_after")
        asked = {"added_after": newest} if newest else {}
        for number in range(bounds.answers):
            start = number * LIMIT
            bundle = _taxii(partial(_range, collection, start, asked), url)
            objects = bundle.get("objects") or []
            if objects:
                yield f"range-{start}.json", json.dumps(bundle).encode()
            newest = max([newest or "", *(one.get("modified") or "" for one in objects)]) or None
            if len(objects) < LIMIT:
                break
        state["added_after"] = newest


FETCHERS: dict[str, Fetch] = {
    "http": over_http,
    "misp": over_misp,
    "taxii21": over_taxii21,
    "taxii20": over_taxii20,
}


def _get(session: requests.Session, url: str, headers: dict[str, str]) -> requests.Response:
    try:
        answer = session.get(url, headers=headers)
    except RequestException as error:
        raise Unavailable(f"cannot be fetched: {type(error).__name__}", where=url) from error
    if answer.status_code == requests.codes.not_found:
        raise NotFound("the server has no such file", where=url)
    if answer.status_code != NOT_MODIFIED and not answer.ok:
        raise Unavailable(f"the server answered {answer.status_code}", where=url)
    return answer


def _connection(session: requests.Session, version: str) -> Any:
    """taxii2-client's connection, over a session with bounds."""
    connection = taxii2client.common._HTTPConnection(version=version)
    connection.session.close()
    connection.session = session
    return connection


def _range(collection: Any, start: int, asked: dict[str, Any]) -> Any:
    """The bundle of one range; an empty one where the range begins after the end (416)."""
    try:
        return collection.get_objects(start=start, per_request=LIMIT, **asked).json()
    except HTTPError as error:
        if error.response is not None and error.response.status_code == requests.codes.requested_range_not_satisfiable:
            return {}
        raise


def _taxii(ask: Any, url: str) -> dict[str, Any]:
    try:
        answer = ask()
    except (RequestException, TAXIIServiceException, ValueError, KeyError) as error:
        raise Unavailable(f"the TAXII server cannot be read: {error}"[:300], where=url) from error
    if not isinstance(answer, dict):
        raise InvalidInput("the TAXII server's answer is not a JSON object", where=url)
    return answer
