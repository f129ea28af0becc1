"""Debian and Ubuntu packages: signed indices in, the closure that apt would install out.

Everything in here is a pure function of bytes and values. Fetching the
InRelease and Packages files, keeping them, and reading a base image's
inventory is the caller's work.

* `release`: an InRelease file, its OpenPGP signature, its dates, its digests
* `index`: a Packages or dpkg status file as stanzas
* `relation`: version order and the grammar of Depends and its relatives
* `universe`: several indices as one candidate set, built once and shared
* `inventory`: what a base image has installed
* `state`, `mark`, `choice`, `repair`, `sweep`: apt's way of choosing, step by step
* `explain`: why there is no solution
* `closure`: the entry points `resolve`, `plan` and `base_set`
"""
