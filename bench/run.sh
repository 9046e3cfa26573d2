#!/bin/sh
# Signet beside what a user would pick instead, in one run: what a verified request costs, and more (bench/README.md).
# Installs the peers, builds Signet (Release, in build/) and bench's own small programs, then measures.
# `sh bench/run.sh --help` tells the options; --write keeps the result in bench/results/.
set -eu

cd -- "$(dirname -- "$0")/.."

# SIGNET_BIN: measure that program; nothing is built then.
signet=${SIGNET_BIN:-build/signet}
tools=build/bench

case " $* " in
    *" --help "* | *" -h "*) exec /usr/bin/python3 bench/matrix.py --help ;;
esac

nginx="nginx-light"
if [ -x /usr/sbin/nginx ]; then nginx=""; fi
sh deploy/install-deps.sh --only gcc libc6-dev haproxy wrk python3 python3-cryptography openssl git $nginx

mkdir -p "$tools"
for program in relay upstream pace bulk; do
    cc -O2 -Wall -Wextra -pthread -o "$tools/$program" "bench/$program.c"
done
sh bench/peers/fetch.sh "$tools"

if [ -z "${SIGNET_BIN:-}" ] && [ "${SIGNET_BENCH_BUILD:-yes}" = yes ]; then
    sh deploy/install-deps.sh
    cmake -S . -B build -G Ninja -DCMAKE_BUILD_TYPE=Release >"$tools/configure.log" || { cat "$tools/configure.log" && exit 1; }
    cmake --build build --target signet
fi

exec /usr/bin/python3 bench/matrix.py --signet "$signet" --tools "$tools" "$@"
