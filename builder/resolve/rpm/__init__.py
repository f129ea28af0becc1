"""RPM packages: signed repository metadata in, the closure that dnf would install out.

Everything in here is a pure function of bytes and values. Fetching the
metadata, keeping it, and reading a base image's inventory is the caller's work.

* `repomd`: repomd.xml, its detached signature, and the digests it vouches for
* `metadata`: primary and filelists, unpacked within their stated size and free of declarations
* `inventory`: what a base image has installed, as packages with relations
* `universe`: the base and several repositories as one candidate set, held by libsolv
* `closure`: the entry points `resolve` and `plan`
* `explain`: why there is no solution, with both sides named
"""
