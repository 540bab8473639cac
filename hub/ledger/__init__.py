"""The ledger: one append-only, signed log of STIX object versions, and the views that members read."""
