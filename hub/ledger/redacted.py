"""An entry as one is given it who may not see all of its parts."""

from __future__ import annotations

import orjson

from hub import clock
from hub.db import Row
from hub.provenance.keys import Signer
from hub.provenance.receipts import without_receipt
from hub.provenance.redaction import redact
from hub.stix.markings import hidden_paths, without_paths


def redacted(row: Row, hidden: tuple[str, ...] | None, signer: Signer) -> Row:
    """An ``objects`` row without the parts whose field class is in ``hidden``; the row itself where it has none.

    The same for everybody from whom the same is hidden, and at any time: the view stands since the entry does.
    """
    if not hidden:
        return row
    seq, added, body, _, _ = row
    full = orjson.loads(body)
    plain = without_receipt(full)
    paths = hidden_paths(plain, hidden)
    if not paths:
        return row
    audience = f"without {', '.join(hidden)}"
    shown = without_paths(plain, paths)
    view = redact(full, shown, signer=signer, audience=audience, since=clock.timestamp(added))
    return seq, added, view.signed, view.cut_start, view.cut_end
