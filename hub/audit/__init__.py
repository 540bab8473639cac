"""The audit log: who did what to what, before, after, and why. Append-only, chained by hash."""

from hub.audit.log import record

__all__ = ["record"]
