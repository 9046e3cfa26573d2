"""What the benchmarks share: processes and their CPU time, the peers, the load, the machine, tables."""
