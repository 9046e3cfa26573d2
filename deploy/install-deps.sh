#!/bin/sh
# Installs the Debian packages that Signet is built from. Debian 12 or 13, as root or with sudo.
set -eu

usage() {
    cat <<'EOF'
usage: install-deps.sh [--list | --check] [--no-remove] [PACKAGE...]
       install-deps.sh --only [--check] PACKAGE...

Installs what a build of Signet needs, and the PACKAGEs named besides; what is there already is left alone.

  --list        print the packages that a build needs, one a line, and do nothing else
  --check       install nothing; print what is missing and exit 1 if anything is
  --only        just the PACKAGEs named
  --no-remove   fail, rather than replace another Boost's development files (see below)

Boost 1.81 (on Debian 13, 1.88) cannot stand beside Debian's default Boost 1.74 (1.83): where libboost1.74-dev is
installed, apt takes it away, with the -dev packages that need it. Programs that use Boost are not touched, and
`apt-get install libboost-dev` brings it back.
EOF
}

release=$( (. /etc/os-release && echo "${ID:-?} ${VERSION_ID:-?}") 2>/dev/null || echo unknown)
boost=1.81
if [ "$release" = "debian 13" ]; then boost=1.88; fi

required="g++ cmake ninja-build pkg-config git ca-certificates
libboost$boost-dev libboost-system$boost-dev libboost-url$boost-dev libssl-dev libsimdjson-dev libspdlog-dev libfmt-dev
libyaml-cpp-dev libcli11-dev libsqlite3-dev libre2-dev prometheus-cpp-dev catch2"
optional="ccache"

say() { printf 'install-deps: %s\n' "$*"; }
fail() {
    printf 'install-deps: %s\n' "$*" >&2
    exit 1
}

mode=install remove=yes only=no extra=""
for argument in "$@"; do
    case $argument in
        --list) mode=list ;;
        --check) mode=check ;;
        --only) only=yes ;;
        --no-remove) remove=no ;;
        -h | --help) usage && exit 0 ;;
        -*) usage >&2 && exit 64 ;;
        *) extra="$extra $argument" ;;
    esac
done
if [ "$only" = yes ]; then
    [ -n "$extra" ] || { usage >&2 && exit 64; }
    required=""
    optional=""
fi

if [ "$mode" = list ]; then
    for package in $required $optional $extra; do echo "$package"; done
    exit 0
fi

command -v apt-get >/dev/null 2>&1 || fail "no apt-get here. Signet is built from these Debian packages: $required $optional$extra"

# The packages among the arguments that are not installed.
missing() {
    for package in "$@"; do
        case $(dpkg-query -W -f='${db:Status-Abbrev} ' "$package" 2>/dev/null || true) in
            ?i*) ;;
            *) printf '%s ' "$package" ;;
        esac
    done
}

count() { echo $#; }

needed=$(missing $required $extra)
wished=$(missing $optional)
if [ -z "$needed" ] && { [ -z "$wished" ] || [ "$mode" = check ]; }; then
    say "all $(count $required $optional $extra) packages are there"
    exit 0
fi
if [ "$mode" = check ]; then
    say "missing: $needed"
    exit 1
fi

as_root=""
if [ "$(id -u)" != 0 ]; then
    if command -v sudo >/dev/null 2>&1; then
        as_root=sudo
    elif [ -n "$needed" ]; then
        fail "missing: ${needed% }; run this as root, or install sudo"
    else
        say "not root, and no sudo: going on without $wished"
        exit 0
    fi
fi

log=$(mktemp)
policy="" # set while a policy-rc.d of ours stands
clean_up() {
    rm -f "$log"
    if [ -n "$policy" ]; then $as_root rm -f "$policy"; fi
}
trap clean_up EXIT
trap 'exit 130' HUP INT TERM

apt() {
    $as_root env DEBIAN_FRONTEND=noninteractive LC_ALL=C apt-get -q -y \
        -o DPkg::Lock::Timeout=600 -o Acquire::Retries=3 -o Dpkg::Use-Pty=0 "$@"
}

case $release in
    "debian 12" | "debian 13") ;;
    *) say "made for debian 12 and 13, this is $release: going on, some packages may have other names" ;;
esac

say "refreshing the package lists"
# One unreachable source of several is no reason to stop: the install below decides.
apt update >"$log" 2>&1 || { say "apt-get update had trouble:" && tail -n 5 "$log"; }

# No package starts a service of its own here. Where somebody has a policy already, theirs holds.
if [ ! -e /usr/sbin/policy-rc.d ]; then
    policy=/usr/sbin/policy-rc.d
    printf '#!/bin/sh\nexit 101\n' | $as_root tee "$policy" >/dev/null
    $as_root chmod 755 "$policy"
fi

if [ -n "$needed" ]; then
    apt --simulate --no-install-recommends install $needed >"$log" 2>&1 || { tail -n 30 "$log" >&2 && fail "apt cannot install: $needed"; }
    gone=$(sed -n 's/^Remv \([^ ]*\).*/\1/p' "$log" | tr '\n' ' ')
    if [ -n "$gone" ]; then
        [ "$remove" = yes ] || fail "these would have to go first, and --no-remove forbids it: $gone"
        say "in the way, and removed by apt (Boost $boost's development files exclude other versions'): $gone"
    fi
    say "installing: $needed"
    apt --no-install-recommends install $needed >"$log" 2>&1 || { tail -n 40 "$log" >&2 && fail "apt-get install failed"; }
fi

if [ -n "$wished" ]; then
    # Only makes builds faster; where the archive lacks it, nothing is lost.
    say "installing, if it can be had: $wished"
    apt --no-install-recommends install $wished >"$log" 2>&1 || say "not to be had, going on without: $wished"
fi

left=$(missing $required $extra)
[ -z "$left" ] || fail "still missing: $left"
say "done"
