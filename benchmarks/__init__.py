"""The figures this product promises, measured: `python -m benchmarks` (or `make bench`)."""
