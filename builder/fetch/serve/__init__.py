"""The store over HTTP, read-only, in the layouts that pip, uv, apt and registries' clients expect."""
