#!/bin/sh
# From a bare Debian 12 to a running demonstration: installs what is needed, builds Signet, runs `signet demo`.
# Arguments go to `signet demo`: with --once it makes the requests itself and exits.
set -eu

cd -- "$(dirname -- "$0")/.."

case ${1:-} in
    -h | --help)
        sed -n '2,3s/^# //p' deploy/quickstart.sh
        echo "usage: sh deploy/quickstart.sh [--once]"
        exit 0
        ;;
esac

step() { printf '\n== %s\n' "$*"; }

step "1/3 packages: deploy/install-deps.sh"
sh deploy/install-deps.sh

step "2/3 build: cmake -S . -B build -G Ninja -DCMAKE_BUILD_TYPE=Release && cmake --build build --target signet"
cmake -S . -B build -G Ninja -DCMAKE_BUILD_TYPE=Release
cmake --build build --target signet

step "3/3 demonstration: build/signet demo $*"
exec build/signet demo "$@"
