#!/bin/sh
# How many instructions each step of a request takes, counted by callgrind: the same on every machine with the same compiler
# and libraries, however busy it is. Compares them with bench/guard.txt and fails where one takes over 5 % more.
# `sh bench/guard.sh --write` makes that file anew: after a change that was meant, or for other compilers.
set -eu

cd -- "$(dirname -- "$0")/.."

baseline=bench/guard.txt
count=2000
tolerance=5

case ${1:-} in
    --write | "") ;;
    *) echo "usage: sh bench/guard.sh [--write]" >&2 && exit 64 ;;
esac

sh deploy/install-deps.sh valgrind
cmake -S . -B build -G Ninja -DCMAKE_BUILD_TYPE=Release -DSIGNET_BENCH=ON >/dev/null
cmake --build build --target bench_micro

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
build/bench/bench_micro --list >"$work/list"
while IFS="$(printf '\t')" read -r number name; do
    valgrind --tool=callgrind --callgrind-out-file="$work/out" --toggle-collect=counted build/bench/bench_micro "$number" "$count" \
        2>"$work/said" || { cat "$work/said" >&2 && exit 1; }
    total=$(sed -n 's/^\(summary\|totals\): *//p' "$work/out" | head -n 1)
    printf '%s\t%s\n' "$name" "$((total / count))"
done <"$work/list" >"$work/counts"

if [ "${1:-}" = --write ]; then
    {
        echo "# Instructions for one step, by bench/guard.sh with $(c++ -dumpfullversion), Release."
        cat "$work/counts"
    } >"$baseline"
    cat "$baseline"
    exit 0
fi

awk -F '\t' -v tolerance="$tolerance" '
    /^#/ { next }
    NR == FNR { wanted[$1] = $2; next }
    {
        if (!($1 in wanted)) { printf "%-40s %7d  is not in the baseline\n", $1, $2; bad = 1; next }
        change = ($2 / wanted[$1] - 1) * 100
        word = (change > tolerance) ? "  TOO MANY" : (change < -tolerance) ? "  fewer: --write keeps it" : ""
        printf "%-40s %7d  baseline %7d  %+5.1f %%%s\n", $1, $2, wanted[$1], change, word
        if (change > tolerance) bad = 1
        delete wanted[$1]
    }
    END {
        for (name in wanted) { printf "%-40s is gone\n", name; bad = 1 }
        exit bad
    }' "$baseline" "$work/counts"
