#!/bin/sh
# Signet on Debian 13: built there with its gcc 14, Boost 1.88, Catch2 3 and OpenSSL 3.5, where ML-DSA is; the unit tests, and
# keygen, mint, explain and the proxy with tokens of ML-DSA.
#
#   sh tests/interop/debian13.sh [end-to-end module...]        as in tests/e2e/, such as config_cli; default: below
#
# Not part of tests/run.sh: debootstrap makes a Debian 13 in a folder (1.5 GB), and Signet is compiled there from nothing.
# Root, or sudo. Ends with 0 only if all held, with 77 if a Debian 13 cannot be had.
#
# DEBIAN_MIRROR    Debian's archive; default: the one that this machine's apt uses
# JOBS             compilers at a time; default 1
# OBJECTS          a folder where ccache keeps what was compiled for the next run; default: none
# KEEP             1: leave the folder, and say where
# TMPDIR           where the folder is made
set -eu

cd -- "$(dirname -- "$0")/../.."
repository=$(pwd -P)
if [ "$(id -u)" != 0 ]; then
    exec sudo env DEBIAN_MIRROR="${DEBIAN_MIRROR:-}" JOBS="${JOBS:-1}" OBJECTS="${OBJECTS:-}" KEEP="${KEEP:-}" TMPDIR="${TMPDIR:-/tmp}" \
        sh "$repository/tests/interop/debian13.sh" "$@"
fi
[ $# -gt 0 ] || set -- keygen_mint algorithms config_cli
modules=$(echo "$@" | tr ' ' '|')
jobs=${JOBS:-1}

say() { printf 'debian13: %s\n' "$*"; }
fail() {
    say "$*" >&2
    exit 1
}
cannot() {
    say "not run: $*" >&2
    exit 77
}
began=$(date +%s)
took() {
    now=$(date +%s)
    summary="$summary
$1: $((now - began)) s"
    say "$1: $((now - began)) s"
    began=$now
}
summary=""

sh deploy/install-deps.sh --only debootstrap ca-certificates util-linux || cannot "its Debian packages cannot be installed"

work=$(mktemp -d "${TMPDIR:-/tmp}/signet-debian13.XXXXXX")
root=$work/root
child=""
clean_up() {
    # Not TERM, which unshare leaves to its child; all that runs inside ends with it.
    if [ -n "$child" ]; then kill -KILL "$child" 2>/dev/null || true; fi
    if [ "${KEEP:-}" = 1 ]; then
        say "kept: $work"
    else
        rm -rf --one-file-system "$work"
    fi
}
trap clean_up EXIT
trap 'exit 130' HUP INT TERM

# apart COMMAND...: with mounts and processes of its own, which the kernel takes away with its last process, however that ends.
apart() {
    mkdir -p "$root/proc"
    unshare --mount --pid --fork --kill-child nice -n 15 "$@" &
    child=$!
    status=0
    wait "$child" || status=$?
    child=""
    return "$status"
}
# inside COMMAND...: in the new Debian, without this machine's environment.
inside() {
    apart sh -c 'root=$1 objects=$2 && shift 2 && mount -t proc proc "$root/proc" &&
        if [ -n "$objects" ]; then mkdir -p "$root/var/cache/ccache" && mount --bind "$objects" "$root/var/cache/ccache"; fi &&
        exec chroot "$root" "$@"' - "$root" "${OBJECTS:-}" \
        env -i PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LC_ALL=C.UTF-8 \
        DEBIAN_FRONTEND=noninteractive \
        CCACHE_DIR=/var/cache/ccache ${http_proxy:+"http_proxy=$http_proxy"} "$@"
}
# quietly LOG COMMAND...: its end is shown if it fails.
quietly() {
    log=$work/$1
    shift
    "$@" >"$log" 2>&1 || { tail -n 60 "$log" >&2 && return 1; }
}

# --- a Debian 13 --------------------------------------------------------------------------------------------------------

archive=${DEBIAN_MIRROR:-$(apt-get indextargets --format '$(SITE) $(LABEL)' 'Created-By: Packages' | sed -n 's/ Debian$//p' | head -n 1)}
[ -n "$archive" ] || cannot "apt knows no archive of Debian here; DEBIAN_MIRROR may name one"
if [ -z "${http_proxy:-}" ]; then eval "$(apt-config shell http_proxy Acquire::http::Proxy)"; fi
export http_proxy="${http_proxy:-}"
say "debootstrap trixie, in $work"
quietly debootstrap.log apart debootstrap --variant=minbase --include=ca-certificates trixie "$root" "$archive" ||
    cannot "debootstrap failed"
took "debootstrap"

mkdir "$root/src" "$root/src/signet"
if git -c safe.directory='*' rev-parse --git-dir >/dev/null 2>&1; then
    # What is in the index and has been deleted since is no file.
    git -c safe.directory='*' ls-files --cached --others --exclude-standard |
        while IFS= read -r file; do if [ -e "$file" ]; then printf '%s\n' "$file"; fi; done | tar -c -T - | tar -x -C "$root/src/signet"
else
    tar -c --exclude './build*' --exclude ./.git . | tar -x -C "$root/src/signet"
fi
# The outside vectors, where they are: their tests look for them beside the repository.
if [ -d ../shared/vectors ]; then mkdir "$root/src/shared" && cp -R ../shared/vectors "$root/src/shared/"; fi

echo force-unsafe-io >"$root/etc/dpkg/dpkg.cfg.d/throwaway"
quietly packages.log inside sh /src/signet/deploy/install-deps.sh python3 python3-cryptography python3-yaml openssl curl ||
    fail "install-deps.sh failed there"
took "packages"

# --- Signet -------------------------------------------------------------------------------------------------------------

# here COMMAND LINE: by a shell in the source.
here() { inside sh -c "cd /src/signet && $1"; }

quietly configure.log here "cmake -S . -B build -G Ninja -DCMAKE_BUILD_TYPE=Release -DSIGNET_TESTS=ON" || fail "cmake failed"
quietly build.log here "cmake --build build -j $jobs" || fail "the build failed"
took "build, $jobs at a time"

here "build/signet version" >"$work/version"
cat "$work/version"
if grep -q ML-DSA "$work/version"; then fail "ML-DSA is not in this build"; fi

here "ctest --test-dir build -L unit -j $jobs --output-on-failure --no-tests=error" || fail "a unit test failed"
took "unit tests"

# Each step by itself, as somebody at a terminal would.
cat >"$root/src/ml_dsa.sh" <<'EOF'
set -eu
signet=/src/signet/build/signet
cd "$(mktemp -d)"
for alg in ML-DSA-44 ML-DSA-65 ML-DSA-87; do
    "$signet" keygen --alg "$alg" --kid one >key.json
    "$signet" keygen --from key.json --public >keys.json
    printf '%s\n' 'listen: 127.0.0.1:0' 'upstream: http://127.0.0.1:3000' 'issuers:' '  - issuer: https://idp.example.com' \
        '    audiences: [a]' "    jwks_file: $PWD/keys.json" "    algorithms: [$alg]" >signet.yaml
    "$signet" check -c signet.yaml >/dev/null
    "$signet" mint --key key.json --iss https://idp.example.com --aud a --sub me >token
    "$signet" explain -c signet.yaml <token >told || { cat told && exit 1; }
    # Of another key by the same name: refused, and for that reason.
    "$signet" keygen --alg "$alg" --kid one >other.json
    "$signet" mint --key other.json --iss https://idp.example.com --aud a --sub me >forged
    status=0
    "$signet" explain -c signet.yaml <forged >told || status=$?
    [ "$status" = 1 ] && grep -q signature_invalid told || { cat told && exit 1; }
    echo "$alg: a token of $(($(wc -c <token) - 1)) characters is admitted; one of another key is signature_invalid"
done
EOF
inside sh /src/ml_dsa.sh || fail "ML-DSA does not go from keygen to explain"
here "ctest --test-dir build -R '^e2e_($modules)\$' --output-on-failure --no-tests=error" || fail "an end-to-end test failed"
took "end to end: $(echo "$modules" | tr '|' ' ')"

say "passed, on $(. "$root/etc/os-release" && echo "$PRETTY_NAME")$summary"
