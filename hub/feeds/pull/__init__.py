"""Pulling feeds: over HTTP, from TAXII servers, from MISP feeds."""
