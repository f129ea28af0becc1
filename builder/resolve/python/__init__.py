"""Python requirements to rows of a lock: uv decides versions, everything else is decided and checked here.

`resolve.resolve_python` is the way in; `request` holds what it is asked,
`services` what it works with, and `export` writes a lock's rows for other installers.
"""
