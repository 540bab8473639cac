"""The checking service: what members file about known fraud, and the answers drawn from it.

A filing is kept sealed under a key of its own; what is searched are keyed tags (``index``), so that a stolen
database tells no name and cannot be tried out. This room knows neither feeds nor members: what it needs of
them (publishing an indicator, who may approve) the composition root hands in.

``filings`` is what members know, ``searching`` how it is asked, ``precheck`` the private way of asking, ``kept`` how
long everything stays and what a person is told of it. ``subjects`` and ``index`` are what they share.
"""
