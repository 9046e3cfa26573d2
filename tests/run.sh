#!/bin/sh
# Installs what the tests need, builds Signet and all tests, runs them, and ends with CTest's summary.
set -eu

cd -- "$(dirname -- "$0")/.."

usage() {
    cat <<'EOF'
usage: sh tests/run.sh [option...] [-- argument for ctest...]

  --preset NAME          configure with this preset of CMakePresets.json, in build-NAME; default: Release, in build/
  --build-dir DIR        build there instead
  --label REGEX          only the tests with a label that matches (ctest -L)
  --exclude-label REGEX  not those (ctest -LE)
  --minimum N            fail if fewer tests were run; default: tests/minimum.txt for all tests, 1 for some
  --jobs N               tests at a time; default 2
  --no-install           install nothing

Fails if a test fails, cannot be started, is missing or was skipped. The one skip that passes: a test that reads
../shared, which lies beside the repository only where the project is developed, says so when it is absent.
EOF
}

preset="" build="" label="" exclude="" minimum="" jobs=2 install=yes
while [ $# -gt 0 ]; do
    case $1 in
        --preset | --build-dir | --label | --exclude-label | --minimum | --jobs)
            [ $# -ge 2 ] || { usage >&2 && exit 64; }
            case $1 in
                --preset) preset=$2 ;;
                --build-dir) build=$2 ;;
                --label) label=$2 ;;
                --exclude-label) exclude=$2 ;;
                --minimum) minimum=$2 ;;
                --jobs) jobs=$2 ;;
            esac
            shift 2
            ;;
        --no-install) install=no && shift ;;
        --) shift && break ;;
        -h | --help) usage && exit 0 ;;
        *) usage >&2 && exit 64 ;;
    esac
done

step() { printf '\n== %s\n' "$*"; }

if [ "$install" = yes ]; then
    step "packages for the build and for the tests"
    sh deploy/install-deps.sh python3 python3-yaml curl systemd buildah debootstrap
    sh tests/support/install-test-deps.sh
fi

if [ -z "$preset" ] || [ "$preset" = release ]; then
    build=${build:-build}
    step "configure: Release, in $build"
    cmake -S . -B "$build" -G Ninja -DCMAKE_BUILD_TYPE=Release -DSIGNET_TESTS=ON -DSIGNET_IMAGE_TEST=ON
else
    build=${build:-build-$preset}
    step "configure: preset $preset, in $build"
    cmake --preset "$preset" -B "$build"
fi

step "build, in $build"
cmake --build "$build"

if [ -z "$minimum" ]; then
    minimum=1
    if [ -z "$label$exclude" ]; then minimum=tests/minimum.txt; fi
fi
if [ -n "$label" ]; then set -- -L "$label" "$@"; fi
if [ -n "$exclude" ]; then set -- -LE "$exclude" "$@"; fi
results=$(cd "$build" && pwd)/test-results.xml
rm -f "$results"

step "tests"
status=0
# The sizes: the verdict below reads what each test said, whole.
ctest --test-dir "$build" --output-on-failure --no-tests=error -j "$jobs" --timeout $((600 * ${SIGNET_TEST_SLOW:-1})) \
    --output-junit "$results" --test-output-size-passed 10000000 --test-output-size-failed 10000000 "$@" || status=$?

# Says nothing where CTest's summary is the whole truth.
/usr/bin/python3 tests/support/judge.py --build "$build" --minimum "$minimum" "$results" || [ "$status" != 0 ] || status=1
exit "$status"
