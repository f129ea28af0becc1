from __future__ import annotations

import os
import signal
import sys
import threading
import time
from pathlib import Path

import pytest

from builder.errors import ToolError
from builder.io.process import ToolTimeoutError, clean_environment, run

ENV = {"PATH": os.environ["PATH"]}


def python(code: str, **options: object) -> bytes:
    return run([sys.executable, "-c", code], env=ENV, **options).stdout  # type: ignore[arg-type]


def test_streams_input_and_directory(tmp_path: Path) -> None:
    code = "import sys,os; sys.stdout.write(os.getcwd()+sys.stdin.read()); sys.stderr.write('e')"
    done = run([sys.executable, "-c", code], env=ENV, cwd=tmp_path, input=b"in")
    assert (done.output, done.errors, done.returncode) == (f"{tmp_path}in", "e", 0)


def test_no_input_is_the_end_of_input() -> None:
    assert python("import sys; print(repr(sys.stdin.read()))") == b"''\n"


def test_environment_is_exactly_the_given_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PIP_INDEX_URL", "https://evil.invalid/")
    out = run(["env"], env={**ENV, "ONLY": "1"}).output
    assert sorted(out.splitlines()) == sorted([f"PATH={ENV['PATH']}", "ONLY=1"])


def test_program_is_looked_for_in_the_given_path(tmp_path: Path) -> None:
    with pytest.raises(ToolError) as caught:
        run(["env"], env={"PATH": str(tmp_path)})
    assert str(caught.value) == "env: is not installed"
    assert caught.value.hint == "install env, or put it in PATH"


def test_failure_shows_the_last_lines_without_credentials() -> None:
    code = "import sys; [print(f'line {i} https://me:pw@h.invalid/', file=sys.stderr) for i in range(40)]; sys.exit(3)"
    with pytest.raises(ToolError) as caught:
        python(code)
    lines = str(caught.value).splitlines()
    assert lines[0].endswith(": exit code 3")
    assert lines[1] == "  line 28 https://***@h.invalid/"
    assert lines[-1] == "  line 39 https://***@h.invalid/"
    assert "pw" not in str(caught.value)


def test_silent_failure_and_signal() -> None:
    with pytest.raises(ToolError, match="exit code 1, and wrote nothing"):
        python("raise SystemExit(1)")
    with pytest.raises(ToolError, match="ended by signal 9"):
        python("import os; os.kill(os.getpid(), 9)")


def test_expected_failure_is_returned() -> None:
    done = run([sys.executable, "-c", "raise SystemExit(2)"], env=ENV, accept=(0, 2))
    assert done.returncode == 2


def test_timeout_kills_grandchildren_too(tmp_path: Path) -> None:
    started = time.monotonic()
    mark = tmp_path / "mark"
    # The grandchild holds the pipes open: waiting for their end would take 60 seconds.
    with pytest.raises(ToolTimeoutError, match=r"sh: did not finish within 0\.5 seconds"):
        run(["sh", "-c", f"(sleep 1.5; touch {mark}; sleep 60) & sleep 60"], env=ENV, timeout=0.5)
    assert time.monotonic() - started < 1.4
    time.sleep(max(0.0, 1.8 - (time.monotonic() - started)))
    assert not mark.exists()


def test_program_may_clean_up_and_cannot_refuse_to_end(tmp_path: Path) -> None:
    lock = tmp_path / "lock"
    tidy = f"touch {lock}; trap 'rm {lock}; exit 1' TERM; sleep 60 & wait"
    with pytest.raises(ToolTimeoutError):
        run(["sh", "-c", tidy], env=ENV, timeout=0.5)
    assert not lock.exists()
    with pytest.raises(ToolTimeoutError):
        run(["sh", "-c", "trap '' TERM; sleep 60"], env=ENV, timeout=0.2)


def test_big_streams_do_not_deadlock() -> None:
    code = "import sys; d=sys.stdin.read(); sys.stderr.write(d); sys.stdout.write(d)"
    assert len(python(code, input=b"x" * 2_000_000)) == 2_000_000


def test_interrupt_kills_the_child(tmp_path: Path) -> None:
    """The child says when it runs, so that no busy machine can make the interrupt come too early or too late."""
    number = tmp_path / "pid"

    def interrupt() -> None:
        while not number.exists():
            time.sleep(0.01)
        os.kill(os.getpid(), signal.SIGINT)

    # A shell starts what it puts into the background with the interrupt ignored; a user's terminal does not.
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    thread = threading.Thread(target=interrupt)
    thread.start()
    try:
        with pytest.raises(KeyboardInterrupt):
            run(["sh", "-c", f"echo $$ >{number}.new; mv {number}.new {number}; exec sleep 60"], env=ENV)
    finally:
        signal.signal(signal.SIGINT, before)
    thread.join()
    with pytest.raises(ProcessLookupError):
        os.kill(int(number.read_text()), 0)


def test_clean_environment_drops_tool_configuration() -> None:
    hostile = {
        "PATH": "/bin",
        "HOME": "/home/x",
        "PIP_INDEX_URL": "https://evil.invalid/",
        "UV_INDEX": "https://evil.invalid/",
        "UV_CACHE_DIR": "/evil",
        "GIT_CONFIG_COUNT": "1",
        "GIT_CONFIG_KEY_0": "core.pager",
        "GIT_CONFIG_VALUE_0": "evil",
        "APT_CONFIG": "/evil",
        "PYTHONPATH": "/evil",
        "LC_ALL": "tr_TR.UTF-8",
        "LANG": "tr_TR.UTF-8",
        "TZ": "Asia/Tokyo",
        "XDG_CONFIG_HOME": "/evil",
        "LD_PRELOAD": "/evil.so",
        "HTTPS_PROXY": "http://proxy.invalid:3128",
        "no_proxy": "localhost",
        "SSL_CERT_FILE": "/ca.pem",
        "REQUESTS_CA_BUNDLE": "/ca.pem",
        "HTTP_PROXY": "",
    }
    assert clean_environment({"UV_CACHE_DIR": "/mine"}, base=hostile) == {
        "PATH": "/bin",
        "HTTPS_PROXY": "http://proxy.invalid:3128",
        "no_proxy": "localhost",
        "SSL_CERT_FILE": "/ca.pem",
        "REQUESTS_CA_BUNDLE": "/ca.pem",
        "LC_ALL": "C.UTF-8",
        "TZ": "UTC",
        "UV_CACHE_DIR": "/mine",
    }
