"""An image that a Docker engine has, as a file."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from builder.errors import ToolError, UsageError
from builder.io import stream

__all__ = ["image_file"]


@contextmanager
def image_file(image: str) -> Iterator[Path]:
    """Give the file or folder `image`, or where there is none the image of that name, saved by the engine.

    UsageError where neither is there, ToolError where there is no engine to ask.
    """
    if Path(image).exists():
        yield Path(image)
        return
    if not image or image.startswith(("-", "/", ".")):
        raise UsageError("no such file", place="--image", hint="name an image, or a tar of one")
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "image.tar"
        said: list[str] = []
        try:
            code = stream(["docker", "save", "--output", str(path), image], env=os.environ, heard=said.append)
        except ToolError as error:
            hint = "name a tar of the image (OCI layout or `docker save`), or install the docker client"
            raise ToolError(f"it is not a file, and {error}", place="--image", hint=hint) from None
        if code or not path.exists():
            raise ToolError(f"docker save: {''.join(said).strip()[-300:]}", place="--image")
        yield path
