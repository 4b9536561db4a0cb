#!/bin/bash
# Runs a command beside a systemd-journald of its own.
#
#   journald.sh [--catalog FILE] -- COMMAND [ARGUMENT…]
#
# Everything happens in a private mount name space, so the machine's journal, /run and catalog stay as they
# are, and all is gone when the command ends. Inside, /run/systemd/journal/socket takes entries, journalctl
# reads them back, and the catalog holds FILE beside systemd's own texts.
#
# Needs root and systemd-journald. Ends as the command ends; 77 where the machine cannot.
set -euo pipefail

fail() { echo "journald.sh: $1" >&2; exit 77; }
journald=/lib/systemd/systemd-journald

if [ "${SLUICE_LAB_INSIDE:-}" != yes ]; then
    [ "$(id -u)" = 0 ] || fail "needs root"
    [ -x "$journald" ] || fail "needs systemd-journald"
    unshare --mount true 2>/dev/null || fail "may not make mount name spaces"
    exec env SLUICE_LAB_INSIDE=yes unshare --mount --propagation private "$0" "$@"
fi
unset SLUICE_LAB_INSIDE

catalog=
if [ "$1" = --catalog ]; then
    catalog=$(realpath "$2")
    shift 2
fi
[ "$1" = -- ] || { sed -n 2,12p "$0" >&2; exit 64; }
shift

# One tmpfs holds what journald reads and writes; each place is bound over the machine's.
lab=$(mktemp -d)
mount -t tmpfs -o mode=755 tmpfs "$lab"
mkdir -p "$lab"/{run/systemd,run/log,journal,catalog,database,conf}
cp /usr/lib/systemd/catalog/*.catalog "$lab/catalog/"
[ -z "$catalog" ] || cp "$catalog" "$lab/catalog/"
printf '[Journal]\nStorage=persistent\nReadKMsg=no\nForwardToWall=no\nRateLimitIntervalSec=0\n' \
    >"$lab/conf/lab.conf"
if [ ! -s /etc/machine-id ]; then
    tr -d - </proc/sys/kernel/random/uuid >"$lab/machine-id"
    touch /etc/machine-id
    mount --bind "$lab/machine-id" /etc/machine-id
fi
mkdir -p /var/log/journal /var/lib/systemd/catalog /etc/systemd/journald.conf.d
mount --bind "$lab/run" /run
mount --bind "$lab/journal" /var/log/journal
mount --bind "$lab/catalog" /usr/lib/systemd/catalog
mount --bind "$lab/database" /var/lib/systemd/catalog
mount --bind "$lab/conf" /etc/systemd/journald.conf.d
mkdir "/var/log/journal/$(cat /etc/machine-id)"
journalctl --update-catalog

"$journald" 2>"$lab/journald.log" &
server=$!
trap 'kill "$server" 2>/dev/null; wait "$server" 2>/dev/null || true' EXIT
deadline=$((SECONDS + 20))
until [ -S /run/systemd/journal/socket ] && [ -S /run/systemd/journal/stdout ]; do
    kill -0 "$server" 2>/dev/null || { cat "$lab/journald.log" >&2; fail "journald does not run"; }
    [ "$SECONDS" -lt "$deadline" ] || fail "journald made no socket"
    read -rt 0.02 <> <(:) || true
done
journalctl --flush

status=0
SLUICE_LAB_JOURNALD=$server "$@" || status=$?
exit "$status"
