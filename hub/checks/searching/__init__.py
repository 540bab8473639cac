"""Searches: what is asked, what is known, what may be told, and the record of it."""
