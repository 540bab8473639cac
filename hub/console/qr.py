"""QR codes as images within the page."""

from __future__ import annotations

import segno


def data_address(text: str) -> str:
    """A ``data:`` address of ``text`` as a QR code in SVG."""
    return segno.make(text, micro=False, error="m").svg_data_uri(scale=4, border=4, light="#fff")
