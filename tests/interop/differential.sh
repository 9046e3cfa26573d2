#!/bin/sh
# Signet beside a second implementation: 100,000 mutated tokens, each also judged by Debian's python3-jwcrypto.
#
#   sh tests/interop/differential.sh [--count N] [--seed N]
#
# Not part of tests/run.sh: it takes a minute or two. Installs python3-jwcrypto where it is missing, as root or
# with sudo. Ends with 0 only if all held, with 77 if what it needs cannot be had.
#
# SIGNET_BIN    the program; default build/signet. SIGNET_TEST_SLOW: a factor on all deadlines

set -eu

here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)
repository=$(CDPATH='' cd -- "$here/../.." && pwd)

sh "$repository/deploy/install-deps.sh" --only python3 python3-cryptography python3-jwcrypto || {
    echo "differential: not run: its Debian packages cannot be installed" >&2
    exit 77
}

# Debian's Python, for there may be another that does not see Debian's packages.
# Every wait in the test is bounded; this is for what nobody thought of.
exec timeout --foreground --kill-after=60 $((900 * ${SIGNET_TEST_SLOW:-1})) /usr/bin/python3 "$here/differential.py" "$@"
