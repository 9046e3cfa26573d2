#!/bin/sh
# Signet beside HAProxy, nginx and a blind relay: CPU time per request and requests per second, in one run.
# Installs the peers (Debian's), builds Signet (Release, in build/) and bench's own small programs, then measures.
# `sh bench/run.sh --help` tells the options; --write keeps the result in bench/results/.
set -eu

cd -- "$(dirname -- "$0")/.."

# SIGNET_BIN: measure that program; nothing is built then.
signet=${SIGNET_BIN:-build/signet}
tools=build/bench

case " $* " in
    *" --help "* | *" -h "*) exec /usr/bin/python3 bench/compare.py --help ;;
esac

nginx="nginx-light"
if [ -x /usr/sbin/nginx ]; then nginx=""; fi
sh deploy/install-deps.sh --only gcc libc6-dev haproxy wrk python3 python3-cryptography openssl git $nginx

mkdir -p "$tools"
for program in relay upstream; do
    cc -O2 -Wall -Wextra -o "$tools/$program" "bench/$program.c"
done

if [ -z "${SIGNET_BIN:-}" ] && [ "${SIGNET_BENCH_BUILD:-yes}" = yes ]; then
    sh deploy/install-deps.sh
    cmake -S . -B build -G Ninja -DCMAKE_BUILD_TYPE=Release >"$tools/configure.log" || { cat "$tools/configure.log" && exit 1; }
    cmake --build build --target signet
fi

exec /usr/bin/python3 bench/compare.py --signet "$signet" --tools "$tools" "$@"
