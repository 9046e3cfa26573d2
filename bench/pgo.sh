#!/bin/sh
# Builds build-pgo/signet: link-time optimisation, guided by a profile of what a proxy does most. The profile is made here,
# by the load of bench/run.sh: remembered, never-seen and forged tokens, the access log, large bodies, TLS. What it gives is
# in bench/README.md; `sh bench/run.sh --only builds --build pgo=build-pgo/signet` measures it anew.
set -eu

cd -- "$(dirname -- "$0")/.."

sh deploy/install-deps.sh
rm -rf build-pgo
cmake --preset pgo-train
cmake --build --preset pgo-train
SIGNET_BIN=build-pgo/signet sh bench/run.sh --quick --peers signet \
    --only remembered,never-seen,forged,access-log,bodies,tls
# The profile lies beside the objects of the same folder, where the second build looks for it.
cmake --preset pgo
cmake --build --preset pgo
build-pgo/signet version
