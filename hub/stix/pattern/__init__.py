"""STIX patterns (STIX 2.1 section 9): reading them, writing them for a value, finding values in them."""

from hub.stix.pattern.meaning import pattern_for, values_in
from hub.stix.pattern.parser import MAX_COMPARISONS, MAX_DEPTH, MAX_LENGTH, parse
from hub.stix.pattern.syntax import Pattern

__all__ = ["MAX_COMPARISONS", "MAX_DEPTH", "MAX_LENGTH", "Pattern", "parse", "pattern_for", "values_in"]
