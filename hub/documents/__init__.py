"""Documents that partners send: their fields, the faults found in them, and the codes and grades they use.

Reports of fraud (``hub.feeds``) and filings (``hub.checks``) are made of the same fields. Knows no database.
"""
