"""scripts/emulate on kernels that cannot, or do not, run the other architecture: files put over those of /proc."""

from __future__ import annotations

import os
import platform
import subprocess
from pathlib import Path

import pytest

EMULATE = Path(__file__).resolve().parents[1] / "scripts/emulate"
OTHER = "x86_64" if platform.machine() == "aarch64" else "aarch64"
UNSHARE = ("unshare", "--user", "--map-root-user", "--mount")
COVERED = """
mount --bind "$1/formats" /proc/sys/fs/binfmt_misc
[ ! -e "$1/filesystems" ] || mount --bind "$1/filesystems" /proc/filesystems
shift
exec "$@"
"""


def emulate(kernel: Path, *words: str) -> subprocess.CompletedProcess[str]:
    """Run the script where the files in `kernel` cover those of /proc."""
    probe = subprocess.run([*UNSHARE, "true"], check=False, capture_output=True)
    if probe.returncode != 0:
        assert "CI" not in os.environ, probe.stderr.decode()
        pytest.skip("needs the right to make a mount namespace (unshare --mount)")
    (kernel / "formats").mkdir(exist_ok=True)
    argv = [*UNSHARE, "sh", "-euc", COVERED, "sh", str(kernel), str(EMULATE), OTHER, *words]
    return subprocess.run(argv, capture_output=True, text=True, check=False, timeout=60)


def test_a_kernel_without_binfmt_misc_is_named_before_anything_is_installed(tmp_path: Path) -> None:
    (tmp_path / "filesystems").write_text("nodev\tproc\n\text4\n")
    done = emulate(tmp_path)
    assert done.returncode == 1
    last = done.stderr.splitlines()[-1]
    assert last.startswith(f"emulate: error: this kernel ({platform.release()}) has no binfmt_misc: take one")
    assert "--builder NAME" in last
    assert "installing" not in done.stderr


def test_status_changes_nothing(tmp_path: Path) -> None:
    done = emulate(tmp_path, "--status")
    assert done.returncode == 1
    assert done.stderr == f"emulate: {OTHER}: off: binfmt_misc is not mounted at /proc/sys/fs/binfmt_misc\n"
    assert not list((tmp_path / "formats").iterdir())


@pytest.mark.parametrize(
    ("entry", "lacks"),
    [
        (None, f"the format qemu-{OTHER} is not registered"),
        ("disabled\nflags: PF\n", f"the format qemu-{OTHER} is switched off"),
        ("enabled\nflags: P\n", f"the format qemu-{OTHER} is registered without the flag F"),
    ],
)
def test_a_format_that_does_not_reach_into_containers_is_off(
    tmp_path: Path, entry: str | None, lacks: str
) -> None:
    formats = tmp_path / "formats"
    formats.mkdir()
    (formats / "status").write_text("enabled\n")
    if entry is not None:
        (formats / f"qemu-{OTHER}").write_text(entry)
    done = emulate(tmp_path, "--status")
    assert (done.returncode, done.stderr) == (1, f"emulate: {OTHER}: off: {lacks}\n")


def test_the_machine_s_own_architecture_needs_nothing() -> None:
    done = subprocess.run([EMULATE, platform.machine()], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, f"emulate: {platform.machine()}: native\n")
