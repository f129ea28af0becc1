"""One comparison a file; `scripts/benchmarks/bench` runs them."""
