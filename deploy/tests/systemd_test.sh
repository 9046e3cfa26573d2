#!/bin/sh
# The systemd unit: systemd itself accepts it, its exposure stays small, and it says what deploy/README.md promises.
# SIGNET_BIN: a program to stand where the unit expects it; default build/signet.
set -eu

cd -- "$(dirname -- "$0")/../.."
unit=deploy/systemd/signet.service
program=$(realpath -- "${SIGNET_BIN:-build/signet}")
# systemd-analyze security: 0.0 (nothing to fear) to 10.0, here in tenths.
threshold=15

fail() {
    printf 'systemd_test: %s\n' "$*" >&2
    exit 1
}

[ -x "$program" ] || fail "no program at $program: build it, or name it in SIGNET_BIN"
command -v systemd-analyze >/dev/null 2>&1 || fail "systemd-analyze is missing: sh deploy/install-deps.sh --only systemd"

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# verify looks for the programs that a unit names; here Signet is elsewhere.
sed "s#/usr/local/bin/signet#$program#" "$unit" >"$work/signet.service"
# (Units of the machine itself may have faults of their own: only words about this one count.)
systemd-analyze verify --man=no "$work/signet.service" >"$work/said" 2>&1 || true
if grep -F 'signet' "$work/said"; then fail "systemd-analyze verify objects, see above"; fi

systemd-analyze security --offline=yes --threshold="$threshold" --no-pager "$work/signet.service" >"$work/said" 2>&1 ||
    { cat "$work/said" && fail "exposure above $threshold tenths, or no verdict"; }
grep 'Overall exposure' "$work/said" || fail "systemd-analyze security gave no verdict"

expect() { grep -qxF "$1" "$unit" || fail "no line in the unit says: $1"; }
expect 'Type=exec'
expect 'ExecStart=/usr/local/bin/signet run -c /etc/signet/signet.yaml'
# shellcheck disable=SC2016 # systemd's variable
expect 'ExecReload=/bin/kill -HUP $MAINPID'
expect 'DynamicUser=yes'
expect 'StateDirectory=signet'
expect 'CapabilityBoundingSet=CAP_NET_BIND_SERVICE'
expect 'ProtectSystem=strict'
expect 'NoNewPrivileges=yes'
expect 'RestartPreventExitStatus=64 78'

# The default drain (20s) must end before systemd loses patience.
patience=$(sed -n 's/^TimeoutStopSec=\([0-9]*\)s$/\1/p' "$unit")
[ "${patience:-0}" -gt 20 ] || fail "TimeoutStopSec must be longer than the default drain of 20s"

echo "systemd_test: passed"
