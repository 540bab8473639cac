"""WSGI entry: ``granian --interface wsgi app:app``, or any other WSGI server."""

from hub.factory.app import create_app

app = create_app()
