"""Filings: what members know of fraud, from the form to the end of their life."""
