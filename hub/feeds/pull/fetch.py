"""Fetch what is new from an upstream, by protocol.

Each fetcher yields payloads (name, bytes) as they come, and keeps in ``state`` what its next call needs.
Errors are HubErrors; a page that an upstream repeats is fetched once more and does no harm, since everything
is recognised by id and version further on.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from email.utils import parsedate_to_datetime
from functools import partial
from typing import Any, Protocol, TypeVar
from urllib.parse import urljoin, urlparse

import requests
import taxii2client.common
import taxii2client.v20
import taxii2client.v21
from requests.exceptions import HTTPError, RequestException
from taxii2client.exceptions import TAXIIServiceException

from hub import clock
from hub.errors import InvalidInput, NotFound, Unavailable
from hub.feeds.pull.transport import Bounds, bounded_session
from hub.feeds.readers.misp_feed import events_in

NOT_MODIFIED = 304
LIMIT = 1000
EVENT_NAME = re.compile(r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
ADDED_LAST = "X-TAXII-Date-Added-Last"
CONTENT_RANGE = re.compile(r"items[ =]\d+-(\d+)/(\d+|\*)")
T = TypeVar("T")
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
        collection = taxii2client.v21.Collection(url, conn=_connection(session, "2.1"), collection_info=_named(url))
        asked: dict[str, Any] = {"limit": LIMIT}
        if state.get("added_after"):
            asked["added_after"] = state["added_after"]
        seen: set[str] = set()
        for number in range(bounds.answers):
            envelope = _object(_taxii(partial(collection.get_objects, **asked), url), url)
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
    """A TAXII 2.0 collection by ranges, from where the last pull ended.

    A server that does not say when it added its objects is asked for what came since shortly before the last pull
    began, by its own clock. It ends where the server says so (416, or the end in ``Content-Range``), and after
    ``bounds.answers`` ranges at the latest; a pull that was cut short begins where the one before it ended.
    """
    with bounded_session(bounds, auth) as session:
        collection = taxii2client.v20.Collection(url, conn=_connection(session, "2.0"), collection_info=_named(url))
        asked = {"added_after": state["added_after"]} if state.get("added_after") else {}
        start, began, added = 0, None, None
        for number in range(bounds.answers):
            answer = _taxii(partial(_range, collection, start, asked), url)
            if answer is not None:
                began = began or _shortly_before(answer.headers.get("Date"))
                added = answer.headers.get(ADDED_LAST) or added
                bundle = _object(_taxii(answer.json, url), url)
                if bundle.get("objects"):
                    yield f"range-{number}.json", answer.content
                start = _next_range(answer, start)
            if answer is None or not start:
                state["added_after"] = added or began or state.get("added_after")
                return
        state["added_after"] = added or state.get("added_after")


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


def _named(url: str) -> dict[str, Any]:
    """What the client would ask the collection's own resource for: it refuses one that is named by an alias."""
    name = urlparse(url).path.rstrip("/").rsplit("/", 1)[-1]
    return {"id": name, "title": name, "can_read": True, "can_write": False}


def _range(collection: Any, start: int, asked: dict[str, Any]) -> requests.Response | None:
    """One range, None where it begins after the end (416)."""
    try:
        answer: requests.Response = collection.get_objects(start=start, per_request=LIMIT, **asked)
    except HTTPError as error:
        if error.response is not None and error.response.status_code == requests.codes.requested_range_not_satisfiable:
            return None
        raise
    return answer


def _next_range(answer: requests.Response, start: int) -> int:
    """Where the next range begins, 0 after the last one. A server may give less than was asked for, and may leave
    objects out of a range: only its ``Content-Range`` tells where it ends (TAXII 2.0 section 3.4).
    """
    found = CONTENT_RANGE.fullmatch(answer.headers.get("Content-Range", ""))
    if answer.status_code != requests.codes.partial_content or found is None:
        return 0
    end, total = int(found[1]), found[2]
    return 0 if end < start or (total != "*" and end + 1 >= int(total)) else end + 1


def _shortly_before(date: str | None) -> str | None:
    """A while before an HTTP date (RFC 9110 section 5.6.7), as TAXII writes instants."""
    try:
        return clock.timestamp(int(parsedate_to_datetime(date or "").timestamp()) * clock.SECOND - clock.MINUTE)
    except ValueError:
        return None


def _taxii(ask: Callable[[], T], url: str) -> T:
    try:
        return ask()
    except (RequestException, TAXIIServiceException, ValueError, KeyError) as error:
        raise Unavailable(f"the TAXII server cannot be read: {error}"[:300], where=url) from error


def _object(answer: Any, url: str) -> dict[str, Any]:
    if not isinstance(answer, dict):
        raise InvalidInput("the TAXII server's answer is not a JSON object", where=url)
    return answer
