#!/bin/bash
# Boots a real systemd over a throw-away copy of this machine.
#
#   nspawn.sh up DIRECTORY [installed]     boots; DIRECTORY is made, and holds the lab's state
#   nspawn.sh exec DIRECTORY COMMAND…      runs a command inside, as root
#   nspawn.sh root DIRECTORY               prints where the inside's root directory is
#   nspawn.sh down DIRECTORY               powers off and removes all
#
# The inside is a container: an overlay on the machine's root directory, whose changes are kept in memory,
# with the machine's network, so that servers on 127.0.0.1 can be reached. Files put under `root` are there
# inside. With "installed", all of Sluice is there as scripts/install puts it, under /usr (the programs of
# SLUICE_BIN_DIR), and its users and spool are made at the boot.
#
# Needs root, systemd-nspawn and dbus-daemon. Exit status 77 where the machine cannot.
set -euo pipefail

fail() { echo "nspawn.sh: $1" >&2; exit "${2:-1}"; }
[ $# -ge 2 ] || { sed -n 2,14p "$0" >&2; exit 64; }
verb=$1
lab=$2
shift 2
here=$(cd "$(dirname "$0")" && pwd)
project=$(cd "$here/../../.." && pwd)

inside() {
    # --wd: the caller's directory may not be there inside.
    nsenter --target "$(cat "$lab/leader")" --mount --uts --ipc --net --pid --root --wd -- \
        env -i PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin HOME=/root \
        LANG=C.UTF-8 TERM=dumb SYSTEMD_PAGER=cat SYSTEMD_COLORS=0 "$@"
}

# A system with nothing of the machine's own services: only what is named here starts.
strip_system() {
    rm -rf "$1"/run/* "$1"/var/log/journal/* "$1"/etc/systemd/system/* "$1"/var/spool/sluice
    # In images of containers it keeps packages from starting services.
    rm -f "$1/usr/sbin/policy-rc.d"
    tr -d - </proc/sys/kernel/random/uuid >"$1/etc/machine-id"
    mkdir -p "$1/etc/systemd/system" "$1/etc/systemd/journald.conf.d"
    cat >"$1/etc/systemd/system/lab.target" <<'UNIT'
[Unit]
Requires=basic.target dbus.service
After=basic.target dbus.service
AllowIsolate=yes
UNIT
    printf '[Journal]\nStorage=persistent\n' >"$1/etc/systemd/journald.conf.d/lab.conf"
    mkdir -p "$1/var/log/journal"
    local unit
    for unit in systemd-timesyncd systemd-networkd systemd-resolved lvm2-monitor blk-availability; do
        ln -sf /dev/null "$1/etc/systemd/system/$unit.service"
    done
}

# systemd inside is the child of nspawn that is process 1 in its own name space.
find_leader() {
    local child
    # shellcheck disable=SC2013 # They stand in one line, with blanks between them.
    for child in $(cat /proc/"$1"/task/*/children 2>/dev/null); do
        if [ "$(awk '/^NSpid:/ { print $NF }' "/proc/$child/status" 2>/dev/null)" = 1 ] &&
            grep -q systemd "/proc/$child/comm" 2>/dev/null; then
            echo "$child"
            return 0
        fi
    done
    return 1
}

wait_a_moment() { read -rt 0.02 <> <(:) || true; }

up() {
    [ "$(id -u)" = 0 ] || fail "needs root" 77
    command -v systemd-nspawn >/dev/null || fail "needs systemd-nspawn (systemd-container)" 77
    [ -x /usr/bin/dbus-daemon ] || fail "needs dbus-daemon" 77
    mkdir -p "$lab"
    mount -t tmpfs -o mode=755 tmpfs "$lab"
    mkdir "$lab"/{upper,work,root}
    mount -t overlay overlay -o "lowerdir=/,upperdir=$lab/upper,workdir=$lab/work" "$lab/root" ||
        { umount "$lab"; fail "may not mount overlays" 77; }
    strip_system "$lab/root"
    [ "${1:-}" != installed ] || "$project/scripts/install" --prefix /usr --destdir "$lab/root"

    SYSTEMD_NSPAWN_UNIFIED_HIERARCHY=1 setsid systemd-nspawn --quiet --directory="$lab/root" --boot \
        --register=no --keep-unit --machine="sluice-lab-$$" --console=read-only \
        systemd.unit=lab.target </dev/null >"$lab/console.log" 2>&1 &
    local nspawn=$!
    echo "$nspawn" >"$lab/nspawn"
    local deadline=$((SECONDS + 60)) state=
    until find_leader "$nspawn" >"$lab/leader"; do
        kill -0 "$nspawn" 2>/dev/null || { cat "$lab/console.log" >&2; fail "systemd-nspawn ended"; }
        [ "$SECONDS" -lt "$deadline" ] || { cat "$lab/console.log" >&2; fail "systemd did not start"; }
        wait_a_moment
    done
    # Before the bus is there, systemctl fails and says nothing.
    until state=$(inside systemctl is-system-running 2>/dev/null) || [ "$state" = degraded ]; do
        [ "$SECONDS" -lt "$deadline" ] || { cat "$lab/console.log" >&2; fail "boot: $state"; }
        wait_a_moment
    done
    # There is a group for them only now.
    [ "${1:-}" != installed ] || inside chgrp sluice /etc/sluice/connectors.d /etc/sluice/credentials
}

down() {
    local nspawn
    nspawn=$(cat "$lab/nspawn" 2>/dev/null || true)
    if [ -n "$nspawn" ]; then
        # nspawn asks systemd for a power-off.
        kill -TERM "$nspawn" 2>/dev/null || true
        local deadline=$((SECONDS + 15))
        while kill -0 "$nspawn" 2>/dev/null && [ "$SECONDS" -lt "$deadline" ]; do wait_a_moment; done
        kill -KILL "$nspawn" 2>/dev/null || true
        while kill -0 "$nspawn" 2>/dev/null; do wait_a_moment; done
    fi
    umount "$lab/root"
    umount "$lab"
    rmdir "$lab"
}

case $verb in
up)
    # Nothing stays mounted of what did not come up.
    trap '[ ! -d "$lab/root" ] || down' EXIT
    up "$@"
    trap - EXIT
    ;;
exec) inside "$@" ;;
root) echo "$lab/root" ;;
down) down ;;
*) fail "unknown verb: $verb" 64 ;;
esac
