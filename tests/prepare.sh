#!/bin/sh
# Bring the browser that tests/browser needs: as root on Debian it is installed, elsewhere the tests say what is missing.
set -eu
command -v chromium >/dev/null && exit 0
if [ "$(id -u)" -eq 0 ] && [ -f /etc/debian_version ] && command -v apt-get >/dev/null; then
	echo "Installing chromium for the browser tests …"
	export DEBIAN_FRONTEND=noninteractive
	apt-get update -qq >/dev/null || true
	apt-get install -qq -y --no-install-recommends chromium fonts-liberation >/dev/null || echo "chromium could not be installed" >&2
fi
