"""One comparison a file; `scripts/bench` runs them."""
