# shellcheck shell=bash
# What the other scripts share: where things are, and all set-up for a bare Debian 12 that has Swift.
#
# Everything here is quick when there is nothing to do, so each script simply asks for what it needs.
# Only what is missing is installed: Debian packages with apt, Python packages into .venv.

ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
VENV=$ROOT/.venv

# The libraries that the daemon is built on, and what building with them takes.
BUILD_PACKAGES=(
    gcc libc6-dev libstdc++-12-dev pkg-config git ca-certificates
    libcurl4-openssl-dev libssl-dev zlib1g-dev libdeflate-dev libzstd-dev
    libsystemd-dev libmicrohttpd-dev
)
# What makes the Debian package.
BUILD_DEB_PACKAGES=(debhelper dpkg-dev)
# The tests and the demo talk to a local S3 that is written in Python.
PYTHON_PACKAGES=(python3 python3-venv)
# The floors of the benchmark compress with the libraries themselves; valgrind counts instructions.
BENCH_PACKAGES=(libdeflate-dev libzstd-dev binutils valgrind)
# The tests also read shell scripts and the manual, give files to other users, start a systemd of their own, and
# look at the page in a browser.
TEST_PACKAGES=(shellcheck groff-base acl dbus systemd systemd-container chromium logrotate)

say() { printf '%s\n' "$*" >&2; }

fail() {
    say "$(basename "$0"): $*"
    exit 1
}

# The names of those packages that are not installed.
missing_packages() {
    local package status
    for package in "$@"; do
        status=$(dpkg-query --show --showformat '${db:Status-Status}' "$package" 2>/dev/null) || true
        [[ $status == installed ]] || printf '%s\n' "$package"
    done
}

setup_packages() {
    local -a missing as_root=()
    local log
    command -v dpkg-query >/dev/null ||
        fail "this is no Debian. Install what these Debian packages hold, and put a dpkg-query" \
            "that says so into the PATH: $*"
    mapfile -t missing < <(missing_packages "$@")
    ((${#missing[@]})) || return 0

    if ((EUID != 0)); then
        if command -v sudo >/dev/null && sudo --non-interactive true 2>/dev/null; then
            as_root=(sudo --non-interactive)
        else
            fail "these Debian packages are missing, and installing them takes root: ${missing[*]}." \
                "Run as root: apt-get update && apt-get install ${missing[*]}"
        fi
    fi
    say "Installing Debian packages: ${missing[*]}"
    log=$(mktemp)
    if ! { "${as_root[@]}" apt-get update &&
        "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install --yes \
            --no-install-recommends -o DPkg::Lock::Timeout=300 "${missing[@]}"; } >"$log" 2>&1; then
        tail -n 20 "$log" >&2
        fail "apt could not install ${missing[*]}; all it said is in $log." \
            "Is this machine on the network, and is /etc/apt/sources.list.d in order?"
    fi
    rm -f "$log"
}

# Debian's own compilers are no substitute: there is no Debian 12 package of Swift.
setup_swift() {
    command -v swift >/dev/null ||
        fail "Swift is missing. Install Swift 6.2 or newer for Debian 12 from" \
            "https://www.swift.org/install/linux/ and put its usr/bin into the PATH."
    local version
    version=$(swift --version 2>/dev/null | sed -n 's/^Swift version \([0-9]*\.[0-9]*\).*/\1/p')
    [[ -n $version ]] || fail "\"swift --version\" does not answer; is the toolchain complete?"
    [[ $(printf '%s\n6.2\n' "$version" | sort --version-sort | head -n 1) == 6.2 ]] ||
        fail "this is Swift $version; 6.2 or newer is needed (https://www.swift.org/install/linux/)."
}

# The first Python that is new enough and can make virtual environments.
find_python() {
    local candidate
    for candidate in /usr/bin/python3 python3; do
        if "$candidate" -c 'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))' \
            2>/dev/null; then
            command -v "$candidate"
            return
        fi
    done
    fail "no Python 3.11 with the modules venv and ensurepip was found (Debian 12:" \
        "apt-get install python3 python3-venv)."
}

# A virtual environment with exactly what requirements.txt says; made anew when that file changes.
setup_python() {
    local wanted=$ROOT/scripts/requirements.txt made_for=$VENV/made-for-requirements.txt python log
    if cmp --silent "$wanted" "$made_for" && [[ -x $VENV/bin/python ]]; then return 0; fi

    python=$(find_python)
    say "Making the virtual environment .venv (pinned packages from PyPI)"
    rm -rf "$VENV"
    "$python" -m venv "$VENV"
    log=$(mktemp)
    if ! "$VENV/bin/pip" install --disable-pip-version-check --requirement "$wanted" >"$log" 2>&1; then
        tail -n 20 "$log" >&2
        fail "pip could not install scripts/requirements.txt; all it said is in $log." \
            "Does this machine reach https://pypi.org (or the index of PIP_INDEX_URL)?"
    fi
    rm -f "$log"
    cp "$wanted" "$made_for"
}

# Prometheus' tool for metrics and rules, and nothing else of its package, which brings 300 MB and starts a server
# where it can. Tests that need it are skipped where it cannot be had.
setup_promtool() {
    local folder
    if command -v promtool >/dev/null || [[ -x $VENV/bin/promtool ]]; then return 0; fi
    say "Fetching promtool into .venv (from the Debian package prometheus)"
    folder=$(mktemp -d)
    if ! (
        cd "$folder"
        apt-get download prometheus || { ((EUID == 0)) && apt-get update && apt-get download prometheus; }
        dpkg-deb --extract ./*.deb .
        install -m 755 usr/bin/promtool "$VENV/bin/promtool"
    ) >"$folder/log" 2>&1; then
        say "promtool cannot be had; what needs it is skipped: $(tail -n 1 "$folder/log")"
    fi
    rm -rf "$folder"
}

# What building takes.
setup_build() {
    setup_packages "${BUILD_PACKAGES[@]}"
    setup_swift
}

# What the demo takes on top.
setup_demo() {
    setup_packages "${BUILD_PACKAGES[@]}" "${PYTHON_PACKAGES[@]}"
    setup_swift
    setup_python
}

# And the benchmark.
setup_bench() {
    setup_packages "${BUILD_PACKAGES[@]}" "${PYTHON_PACKAGES[@]}" "${BENCH_PACKAGES[@]}"
    setup_swift
    setup_python
}

# All of it.
setup_tests() {
    setup_packages "${BUILD_PACKAGES[@]}" "${BENCH_PACKAGES[@]}" "${BUILD_DEB_PACKAGES[@]}" "${PYTHON_PACKAGES[@]}" "${TEST_PACKAGES[@]}"
    setup_swift
    setup_python
    setup_promtool
}

# Builds "debug" or "release"; further arguments go to swift build. The same options everywhere, so
# that no script makes the next one build anew.
swift_build() {
    local configuration=$1
    shift
    if [[ $configuration == release ]]; then set -- --static-swift-stdlib "$@"; fi
    swift build --package-path "$ROOT" --configuration "$configuration" \
        --explicit-target-dependency-import-check error "$@"
}
