#!/bin/sh
# Builds the image of deploy/Dockerfile on a Debian that debootstrap makes, and runs what is in it: no container engine and
# no registry is needed, only Debian's archive. Root, or sudo. Minutes at the first time; the base and the layers are kept
# in $SIGNET_TEST_CACHE (default build/test-deps), so that later runs compile at most.
set -eu

cd -- "$(dirname -- "$0")/../.."
repository=$(pwd -P)
cache=${SIGNET_TEST_CACHE:-$repository/build/test-deps}
base=localhost/signet-test-base:12
image=localhost/signet-test:latest

if [ "$(id -u)" != 0 ]; then exec sudo env SIGNET_TEST_CACHE="$cache" sh "$repository/deploy/tests/image.sh"; fi

say() { printf 'image: %s\n' "$*"; }
fail() {
    printf 'image: %s\n' "$*" >&2
    exit 1
}
began=$(date +%s)
took() {
    now=$(date +%s)
    say "$1: $((now - began)) s"
    began=$now
}

sh deploy/install-deps.sh --only buildah debootstrap curl python3

mkdir -p "$cache/containers"
work=$(mktemp -d)
container=""
server=""
clean_up() {
    if [ -n "$server" ]; then kill "$server" 2>/dev/null || true; fi
    if [ -n "$container" ]; then engine rm "$container" >/dev/null 2>&1 || true; fi
    rm -rf "$work"
}
trap clean_up EXIT
trap 'exit 130' HUP INT TERM

# Layers by overlay where the kernel lets us mount one here, else by copies.
probe=$(mktemp -d -p "$cache/containers")
mkdir "$probe/lower" "$probe/upper" "$probe/work" "$probe/all"
driver=vfs
if mount -t overlay overlay -o "lowerdir=$probe/lower,upperdir=$probe/upper,workdir=$probe/work" "$probe/all" 2>/dev/null; then
    umount "$probe/all"
    driver=overlay
fi
rm -rf "$probe"
driver=${SIGNET_TEST_STORAGE:-$driver}

# Not the machine's own configuration, which could name another driver or place.
printf '[storage]\ndriver = "%s"\ngraphroot = "%s"\nrunroot = "%s"\n' "$driver" "$cache/containers/$driver" "$work/run" \
    >"$work/storage.conf"
engine() { CONTAINERS_STORAGE_CONF="$work/storage.conf" BUILDAH_ISOLATION=chroot buildah "$@"; }

# --- the base -----------------------------------------------------------------------------------------------------------

if ! engine inspect --type image "$base" >/dev/null 2>&1; then
    # From the archives that this machine itself uses.
    archive=$(apt-get indextargets --format '$(SITE) $(CODENAME) $(ORIGIN)' 'Created-By: Packages' |
        sed -n 's/ bookworm Debian$//p' | head -n 1)
    [ -n "$archive" ] || fail "apt knows no archive of Debian 12 (bookworm)"
    say "making a base: debootstrap bookworm"
    debootstrap --variant=minbase --include=ca-certificates bookworm "$work/base" "$archive" >"$work/log" 2>&1 ||
        { tail -n 20 "$work/log" && fail "debootstrap failed"; }
    apt-get indextargets --format 'deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] $(SITE) $(CODENAME) $(COMPONENT)' \
        'Created-By: Packages' | grep ' bookworm' | grep -F -e "$archive" -e security >"$work/base/etc/apt/sources.list" || true
    rm -rf "$work/base/var/cache/apt/archives"/*.deb "$work/base/var/lib/apt/lists"/*
    container=$(engine from scratch)
    engine add -q "$container" "$work/base" / >/dev/null
    engine config --cmd '["/bin/sh"]' "$container"
    engine commit -q "$container" "$base" >/dev/null
    engine rm "$container" >/dev/null
    container=""
    rm -rf "$work/base"
    took "base"
fi

# --- the image ----------------------------------------------------------------------------------------------------------

# Compiled at the path of this repository and with this machine's ccache: what the tests' own build has compiled is there.
set --
objects=$(ccache -k cache_dir 2>/dev/null || true)
if [ -d "$objects" ]; then set -- --volume "$objects:/var/cache/ccache"; fi
say "building ($driver layers)"
engine build -q --pull-never --layers --format docker --build-arg "BASE=$base" --build-arg "SOURCE=$repository" "$@" \
    --tag "$image" -f deploy/Dockerfile . >"$work/log" 2>&1 || { tail -n 60 "$work/log" && fail "the build failed"; }
took "build"

property() { engine inspect --type image --format "{{.Docker.Config.$1}}" "$image"; }
[ "$(property User)" = 65532:65532 ] || fail "runs as $(property User)"
[ "$(property StopSignal)" = SIGTERM ] || fail "stops by $(property StopSignal)"
[ "$(property Entrypoint)" = "[signet]" ] || fail "starts $(property Entrypoint)"
property Healthcheck.Test | grep -qF 'CMD signet health' || fail "its health check is $(property Healthcheck.Test)"

# --- what is in it ------------------------------------------------------------------------------------------------------

container=$(engine from --pull-never "$image")
inside() { engine run "$container" -- "$@"; }

[ "$(inside id -u)" = 65532 ] || fail "user $(inside id -u) inside"
inside signet version >"$work/version" || fail "signet version failed"
say "$(head -n 1 "$work/version")"
if inside sh -c 'command -v c++ cmake || ls /usr/include/boost' >/dev/null 2>&1; then fail "the builder's tools are in it"; fi
inside sh -c 'touch /var/lib/signet/probe && rm /var/lib/signet/probe' || fail "the state directory is not writable"

# The network is this machine's, so the ports are free ones.
# shellcheck disable=SC2046 # three words
set -- $(python3 -c 'import socket
sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(3)]
print(*(one.getsockname()[1] for one in sockets))')
cat >"$work/signet.yaml" <<EOF
listen: 127.0.0.1:$1
health: 127.0.0.1:$2
admin: off
upstream: http://127.0.0.1:$3
issuers:
  - issuer: https://idp.example.com
    audiences: [image]
    jwks: {"keys": []}
    required_for_ready: false
EOF
chmod 644 "$work/signet.yaml"
engine copy -q "$container" "$work/signet.yaml" /etc/signet/signet.yaml >/dev/null

if inside signet health 2>/dev/null; then fail "the health check passes with nothing running"; fi

# As an engine would: entry point and command of the image.
engine run "$container" -- signet run >"$work/served" 2>&1 &
server=$!
tries=0
until inside signet health >/dev/null 2>&1; do
    tries=$((tries + 1))
    kill -0 "$server" 2>/dev/null || { cat "$work/served" && fail "signet ended at once"; }
    [ "$tries" -lt 60 ] || { cat "$work/served" && fail "the health check never passed"; }
    sleep 0.25
done
status=$(curl -s -o /dev/null -w '%{http_code}' "http://127.0.0.1:$1/")
[ "$status" = 401 ] || fail "without a token: $status"

# SIGTERM to the program itself, the deepest of the processes that were started for it.
deepest=$server
while below=$(cat "/proc/$deepest/task"/*/children 2>/dev/null | tr ' ' '\n' | grep . | head -n 1) && [ -n "$below" ]; do deepest=$below; done
kill -TERM "$deepest"
status=0
wait "$server" || status=$?
server=""
[ "$status" = 0 ] || { cat "$work/served" && fail "after SIGTERM: exit $status"; }
took "run"
say "passed"
