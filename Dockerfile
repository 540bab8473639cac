# The hub in one image: web server, worker and command. Build: docker build -t fraud-threat-hub .

FROM python:3.13-slim AS build
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1
RUN python -m venv /opt/hub
COPY requirements.txt /tmp/requirements.txt
RUN /opt/hub/bin/pip install --require-hashes --only-binary :all: --requirement /tmp/requirements.txt
# The settings stand beside the package, so the source stays where it is and the environment points to it.
WORKDIR /srv/hub
COPY pyproject.toml requirements.in README.md app.py ./
COPY config config
COPY samples samples
COPY hub hub
RUN /opt/hub/bin/pip install --no-deps --no-build-isolation --editable . \
 && /opt/hub/bin/python -m compileall -q hub

FROM python:3.13-slim
RUN useradd --system --uid 10001 --home-dir /var/lib/hub --create-home --shell /usr/sbin/nologin hub
COPY --from=build /opt/hub /opt/hub
COPY --from=build /srv/hub /srv/hub
ENV PATH=/opt/hub/bin:$PATH PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 HUB_DATA_DIR=/var/lib/hub
WORKDIR /srv/hub
USER hub
VOLUME /var/lib/hub
EXPOSE 8080
HEALTHCHECK --interval=30s --timeout=5s --start-period=20s --retries=3 \
  CMD ["python", "-c", "import urllib.request as u; u.urlopen('http://127.0.0.1:8080/healthz', timeout=4)"]
ENTRYPOINT ["hub"]
CMD ["serve", "--bind", "0.0.0.0:8080"]
