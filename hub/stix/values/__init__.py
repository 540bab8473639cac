"""Indicator values: what kinds there are, and the one text by which each value is known."""

from hub.stix.values.bank_accounts import account_of, sort_code_account_of
from hub.stix.values.detection import detect
from hub.stix.values.kinds import MAX_CHARACTERS, Kind, Value
from hub.stix.values.registry import canonical

__all__ = ["MAX_CHARACTERS", "Kind", "Value", "account_of", "canonical", "detect", "sort_code_account_of"]
