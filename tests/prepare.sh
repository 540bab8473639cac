#!/bin/sh
# Bring the programs that the tests need beside Python's: Chromium for tests/browser, a Redis for the shared rate limits.
# As root on Debian they are installed, elsewhere the tests say what is missing. redis-tools holds the server's program
# and, unlike redis-server, starts no service.
set -eu
wanted=""
# Its shell without windows also where Chromium is: tests/browser takes 70 s of processor time less with it.
command -v chromium-headless-shell >/dev/null || wanted="chromium-headless-shell fonts-liberation"
command -v redis-server >/dev/null || command -v redis-check-rdb >/dev/null || wanted="$wanted redis-tools"
[ -n "$wanted" ] || exit 0
if [ "$(id -u)" -eq 0 ] && [ -f /etc/debian_version ] && command -v apt-get >/dev/null; then
	echo "Installing $wanted for the tests …"
	export DEBIAN_FRONTEND=noninteractive
	apt() {
		apt-get -qq -o Acquire::Retries=1 -o Acquire::http::Timeout=20 "$@" >/dev/null
	}
	apt update || true
	# shellcheck disable=SC2086 # a list of packages
	apt install -y --no-install-recommends $wanted || {
		# An older Debian has no package of the shell alone.
		wanted=$(echo "$wanted" | sed s/chromium-headless-shell/chromium/)
		# shellcheck disable=SC2086 # as above
		apt install -y --no-install-recommends $wanted || echo "$wanted could not be installed" >&2
	}
fi
