"""The git repository that a project is in."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from builder.errors import UsageError
from builder.git.project import find_repository
from builder.io.process import clean_environment, run


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a folder to another user")
def test_a_checkout_of_another_user_is_refused_with_git_s_own_advice(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path / "home"))  # no safe.directory from the tester's configuration
    monkeypatch.delenv("SUDO_UID", raising=False)
    checkout = tmp_path / "checkout"
    run(("git", "init", "--quiet", str(checkout)), env=clean_environment({}))
    for path in (checkout, checkout / ".git"):
        os.chown(path, 12345, 12345)
    with pytest.raises(UsageError, match="dubious ownership") as caught:
        find_repository(checkout)
    assert caught.value.hint == f"if you trust it: git config --global --add safe.directory {checkout}"
