#!/bin/sh
# Signet against a real Keycloak: discovery, a service account's tokens, the rotation of a realm's keys.
#
#   sh tests/interop/keycloak.sh [argument for unittest...]
#
# Not part of tests/run.sh: it fetches Keycloak (176 MB, once) and takes a minute. Installs Java 17 where
# there is none, as root or with sudo. Ends with 0 only if all held, with 77 if what it needs cannot be had.
#
# MAVEN_REPOSITORY         where Keycloak is fetched; default: Maven Central
# SIGNET_KEYCLOAK_CACHE    where it is kept; default build/test-deps/keycloak
# SIGNET_BIN               the program; default build/signet. SIGNET_TEST_SLOW: a factor on all deadlines

set -eu

version=26.7.3
sha256=77657f30b7e90d70f727712ce1c967f430fd6a5e9f458d32d8c6df0635345f47

here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)
repository=$(CDPATH='' cd -- "$here/../.." && pwd)
maven=${MAVEN_REPOSITORY:-https://repo1.maven.org/maven2}
cache=${SIGNET_KEYCLOAK_CACHE:-$repository/build/test-deps/keycloak}
home=$cache/keycloak-$version

say() { printf 'keycloak: %s\n' "$*"; }
cannot() {
    say "not run: $*" >&2
    exit 77
}

# java_is_good PROGRAM: runs, and is version 17 or later.
java_is_good() {
    major=$("$1" -version 2>&1 | sed -n 's/.* version "\([0-9]*\).*/\1/p')
    [ "${major:-0}" -ge 17 ]
}

# --- Debian packages ------------------------------------------------------------------------------

JAVA=${JAVA_HOME:+$JAVA_HOME/bin/}java
jre=
java_is_good "$JAVA" || jre=openjdk-17-jre-headless
# shellcheck disable=SC2086 # none or one
sh "$repository/deploy/install-deps.sh" --only ca-certificates curl python3 $jre \
    || cannot "its Debian packages cannot be installed"
if [ -n "$jre" ]; then
    # Another Java may be the default, and an older one.
    JAVA=/usr/lib/jvm/java-17-openjdk-$(dpkg --print-architecture)/bin/java
    java_is_good "$JAVA" || cannot "no Java 17 or later after all"
fi

# --- Keycloak -------------------------------------------------------------------------------------

if [ "$(cat "$cache/.unpacked" 2>/dev/null)" != "$sha256" ] || [ ! -x "$home/bin/kc.sh" ]; then
    archive=keycloak-quarkus-dist-$version.tar.gz
    say "fetching Keycloak $version into $cache"
    rm -rf "$home" "$cache/.unpacked"
    mkdir -p "$cache"
    curl -fsSL --retry 2 --connect-timeout 20 --max-time 900 -o "$cache/$archive" \
        "$maven/org/keycloak/keycloak-quarkus-dist/$version/$archive" \
        || cannot "Keycloak $version cannot be fetched; MAVEN_REPOSITORY may name another Maven repository"
    # A wrong archive is no reason to skip.
    echo "$sha256  $cache/$archive" | sha256sum --check --quiet - || {
        rm -f "$cache/$archive"
        say "what came is not Keycloak $version: its SHA-256 is another" >&2
        exit 1
    }
    tar -xzf "$cache/$archive" -C "$cache"
    rm -f "$cache/$archive"
    echo "$sha256" >"$cache/.unpacked"
fi

export JAVA KEYCLOAK_HOME="$home"
# Everything in the test is bounded; this is for what nobody thought of. It ends Keycloak at SIGTERM.
exec timeout --foreground --kill-after=60 $((900 * ${SIGNET_TEST_SLOW:-1})) python3 "$here/keycloak.py" "$@"
