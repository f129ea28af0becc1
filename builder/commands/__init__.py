"""One verb a file: plain values in, an exit code out."""
