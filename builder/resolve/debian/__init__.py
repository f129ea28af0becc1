"""Debian and Ubuntu packages: signed indices in, the closure that apt would install out.

Everything in here is a pure function of bytes and values. Fetching the
InRelease and Packages files, keeping them, and reading a base image's
inventory is the caller's work.

* `release`: an InRelease file, its OpenPGP signature, its dates, its digests
* `index`: a Packages or dpkg status file as stanzas
* `relation`: version order and the grammar of Depends and its relatives
* `universe`: several indices as one candidate set, built once and shared
* `inventory`: what a base image has installed
* `closure`: the entry points `resolve`, `plan` and `base_set`; behind it
    * `state`, `candidates`: what is chosen so far
    * `mark`, `choice`, `room`: apt's greedy pass
    * `repair`, `upgrade`, `score`: what apt does when that leaves something broken
    * `sweep`: dropping what turned out not to be needed
    * `reason`, `explain`: who brought a package in, and why there is no solution
"""
