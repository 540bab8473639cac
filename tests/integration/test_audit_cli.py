"""``hub audit export`` and ``hub vetting``."""

from __future__ import annotations

import json
from pathlib import Path

from tests.commands import Commands
from tests.engines import SQLite


def test_export_and_agreement(sqlite: SQLite, tmp_path: Path) -> None:
    with sqlite.migrated() as url:
        hub = Commands(url, tmp_path, HUB_BASE_URL="http://localhost")
        hub("init")
        hub("group", "add", "banks")
        text = tmp_path / "agreement.txt"
        text.write_text("The parties agree.")
        published = hub("vetting", "agreement", "2026-01", text, "--json").document
        again = hub("vetting", "agreement", "2026-01", text, code=1)
        assert "exists already" in again.err
        text.write_bytes(b"\xff\xfe")
        assert "UTF-8" in hub("vetting", "agreement", "2026-02", text, code=1).err
        assert set(hub("vetting", "due", "--json").document.values()) == {0}

        ended = hub("audit", "export", "--verify")
        events = [json.loads(line) for line in ended.out.splitlines()]
        assert "chain of" in ended.err
        assert [event["id"] for event in events] == list(range(1, len(events) + 1))
        last = events[-1]
        assert (last["actor"], last["action"], last["subject"]) == ("operator", "agreement:publish", "2026-01")
        assert last["after"] == {"sha256": published["sha256"]}
        assert set(last) == {"id", "at", "actor", "action", "subject", "before", "after", "why", "chain"}
        assert hub("audit", "export", "--since", "2999-01-01").out == ""
