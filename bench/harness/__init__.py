"""What the benchmarks share: processes with their CPU time and memory, peers, load, rounds, figures, the machine, the result."""
