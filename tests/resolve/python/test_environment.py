from __future__ import annotations

import contextlib
import socket
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import pytest

from builder.errors import FetchError, NoSolutionError, RecipeError
from builder.io import run
from builder.model.digest import Evidence, Sha256
from builder.model.structuring import Table
from builder.model.target import Arch
from builder.recipe.environment_requests import UPGRADE_ALL, StandIn
from builder.recipe.framework import DeclaredWheel, PythonIndex
from builder.resolve.python.environment import resolve_python

CPU = "cp313-cp313-manylinux_2_28_x86_64"


def versions(rows: Any) -> dict[str, Any]:
    return {row.name: row.version for row in rows}


def by_name(rows: Any) -> dict[str, Any]:
    return {row.name: row for row in rows}


def test_rows_say_what_and_who(index: Any, services: Any, request_of: Any) -> None:
    digest = index.wheel("app", "1.0", requires=("lib>=1", "extra-lib; extra == 'more'"), extras=("more",))
    index.wheel("lib", "1.5")
    index.wheel("extra-lib", "2.0", requires=("lib",))
    rows = resolve_python(request_of("app[more]==1.0"), services)
    assert [row.name for row in rows] == ["app", "extra-lib", "lib"]
    app, extra, lib = rows
    assert app.via == ("recipe",)
    assert app.extras == ("more",)
    assert app.sha256 == digest
    assert app.evidence is Evidence.INDEX
    assert app.origin == "pypi"
    assert app.path == ""
    assert app.for_ == ("runtime",)
    assert app.size == len(index.files[0].data)
    assert extra.via == ("app",)
    assert lib.via == ("app", "extra-lib")


def test_an_identical_question_is_asked_once(
    index: Any, services: Any, request_of: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    index.wheel("app", "1.0", requires=("lib>=1",))
    index.wheel("lib", "1.5")
    commands: list[list[str]] = []

    def counted(command: list[str], **options: Any) -> Any:
        commands.append(command)
        return run(command, **options)

    monkeypatch.setattr("builder.resolve.python.uv.run", counted)
    request = request_of("app==1.0")
    first = resolve_python(request, services)
    other = resolve_python(replace(request, environment="other"), services)
    assert len(commands) == 1
    assert [replace(row, for_=("runtime",)) for row in other] == list(first)
    assert {row.for_ for row in other} == {("other",)}
    for changed in (
        replace(request, glibc="2.28"),
        replace(request, exclude_newer="2026-03-02T00:00:00Z"),
        replace(request, constraints=("lib==1.5",)),
        replace(request, preferences=(("lib", "1.5"),)),
        request_of("app==1.0", "lib==1.5"),
    ):
        commands.clear()
        resolve_python(changed, services)
        assert commands, changed


def drip_pages(listener: socket.socket) -> None:
    """Answer each request with the head of a page, and then a blank now and then."""
    head = b"HTTP/1.1 200 OK\r\nContent-Type: application/vnd.pypi.simple.v1+json\r\nContent-Length: 9999\r\n\r\n{"
    with contextlib.suppress(OSError):
        while True:
            connection, _ = listener.accept()
            with connection, contextlib.suppress(OSError):
                connection.recv(65536)
                connection.sendall(head)
                for _ in range(100):
                    connection.sendall(b" ")
                    time.sleep(0.1)


def test_an_index_that_drips_does_not_hold_uv_for_ever(
    services: Any, request_of: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("builder.resolve.python.uv._LONGEST_QUESTION", 1.0)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=drip_pages, args=(listener,), daemon=True)
        thread.start()
        url = f"http://127.0.0.1:{listener.getsockname()[1]}/simple/"
        with pytest.raises(FetchError, match="did not finish within 1 seconds") as caught:
            resolve_python(request_of("app==1.0"), replace(services, index_url=url))
        listener.shutdown(socket.SHUT_RDWR)
    thread.join()
    assert caught.value.place == url


@pytest.mark.parametrize("form", ["json", "html"])
@pytest.mark.parametrize("sizes", [True, False])
def test_rows_do_not_depend_on_the_index_s_form(
    indexes: Any, services: Any, request_of: Any, form: Any, sizes: Any
) -> None:
    index = indexes("other", form=form, sizes=sizes, warehouse=True)
    index.wheel("app", "1.0", requires=("lib",), padding=200_000)
    index.wheel("lib", "1.0")
    index.wheel("lib", "2.0", uploaded="2026-06-01T00:00:00Z")
    rows = by_name(resolve_python(request_of("app==1.0"), replace(services, index_url=index.url)))
    assert rows["lib"].version == "1.0"
    assert rows["app"].size == len(index.files[0].data)
    assert rows["app"].path.count("/") == 2
    assert len(rows["app"].path) == 66


@pytest.mark.parametrize(
    ("metadata_files", "ranges"), [(True, True), (False, True), (False, False)], ids=["658", "range", "whole"]
)
def test_metadata_is_had_in_every_way(
    index: Any, services: Any, request_of: Any, metadata_files: Any, ranges: Any
) -> None:
    index.metadata_files, index.ranges = metadata_files, ranges
    index.wheel("app", "1.0", requires=("lib",), padding=300_000)
    index.wheel("lib", "1.0")
    rows = by_name(resolve_python(request_of("app==1.0"), services))
    assert rows["lib"].via == ("app",)


def test_second_run_reads_no_wheel(index: Any, services: Any, request_of: Any) -> None:
    index.wheel("app", "1.0", requires=("lib",))
    index.wheel("lib", "1.0")
    first = resolve_python(request_of("app==1.0"), services)
    index.requests.clear()
    assert resolve_python(request_of("app==1.0"), services) == first
    assert index.requests == []


def test_pages_are_asked_again_for_a_bound_that_is_not_past(
    index: Any, services: Any, request_of: Any
) -> None:
    index.wheel("app", "1.0", requires=("lib",))
    index.wheel("lib", "1.0")
    request = request_of("app==1.0", exclude_newer="2999-01-01T00:00:00Z")
    assert versions(resolve_python(request, services))["lib"] == "1.0"
    index.wheel("lib", "2.0")
    assert versions(resolve_python(request, services))["lib"] == "2.0"


def test_damaged_cache_entry_is_replaced(index: Any, services: Any, request_of: Any) -> None:
    index.wheel("app", "1.0")
    first = resolve_python(request_of("app==1.0"), services)
    (entry,) = services.metadata.glob("*.checked.json")
    entry.write_bytes(b'{"name": "app"')
    assert resolve_python(request_of("app==1.0"), services) == first
    assert entry.read_bytes().endswith(b"}")


def test_missing_hash_is_observed(index: Any, services: Any, request_of: Any) -> None:
    index.hashes = False
    digest = index.wheel("app", "1.0")
    (row,) = resolve_python(request_of("app==1.0"), services)
    assert (row.sha256, row.evidence) == (digest, Evidence.OBSERVED)


def test_best_wheel_is_the_target_s(index: Any, services: Any, request_of: Any) -> None:
    for tag in (
        "py3-none-any",
        "cp313-cp313-manylinux_2_17_x86_64.manylinux2014_x86_64",
        "cp313-cp313-manylinux_2_28_x86_64",
        "cp313-cp313-manylinux_2_38_x86_64",
        "cp313-cp313-manylinux_2_34_aarch64",
        "cp311-cp311-manylinux_2_36_x86_64",
    ):
        index.wheel("app", "1.0", tag=tag, salt=tag)
    (row,) = resolve_python(request_of("app==1.0"), services)
    assert row.file == "app-1.0-cp313-cp313-manylinux_2_28_x86_64.whl"
    (row,) = resolve_python(request_of("app==1.0", arch=Arch.AARCH64), services)
    assert row.file == "app-1.0-cp313-cp313-manylinux_2_34_aarch64.whl"
    (row,) = resolve_python(request_of("app==1.0", python="3.12", glibc="2.41"), services)
    assert row.file == "app-1.0-py3-none-any.whl"


def test_markers_are_evaluated_for_the_target(index: Any, services: Any, request_of: Any) -> None:
    index.wheel(
        "app",
        "1.0",
        requires=(
            "arm; platform_machine == 'aarch64'",
            "old; python_version < '3.13'",
            "mac; sys_platform == 'darwin'",
        ),
    )
    for name in ("arm", "old", "mac"):
        index.wheel(name, "1.0")
    assert versions(resolve_python(request_of("app==1.0"), services)) == {"app": "1.0"}
    arm = resolve_python(request_of("app==1.0", arch=Arch.AARCH64, python="3.12"), services)
    assert versions(arm) == {"app": "1.0", "arm": "1.0", "old": "1.0"}


def test_stand_in_wins_over_the_published_wheel(index: Any, services: Any, request_of: Any) -> None:
    index.wheel("app", "1.0", requires=("built", "image-made"))
    index.wheel("built", "2.0", tag="cp313-cp313-manylinux_2_36_x86_64", requires=("absent",))
    index.wheel("built", "3.0")
    index.wheel("dep", "1.0")
    rows = resolve_python(
        request_of(
            "app==1.0",
            stand_ins=(
                StandIn(name="Built", version="2.0", requires=("dep>=1",), build="maker"),
                StandIn(name="image-made", version="7"),
            ),
        ),
        services,
    )
    assert versions(rows) == {"app": "1.0", "built": "2.0", "dep": "1.0"}
    built = by_name(rows)["built"]
    assert (built.build, built.file, built.sha256, built.evidence) == ("maker", "", None, None)
    assert built.via == ("app",)
    assert by_name(rows)["dep"].via == ("built",)


def test_stand_in_that_nothing_asks_for_is_left_out(index: Any, services: Any, request_of: Any) -> None:
    index.wheel("app", "1.0")
    rows = resolve_python(
        request_of("app==1.0", stand_ins=(StandIn(name="other", version="1", build="b"),)), services
    )
    assert versions(rows) == {"app": "1.0"}


def test_declared_wheel_is_not_fetched(index: Any, services: Any, request_of: Any) -> None:
    index.wheel("app", "1.0", requires=("far==1.0+cu130",))
    index.wheel("dep", "1.0")
    declared = DeclaredWheel(
        name="far",
        version="1.0+cu130",
        file="far-1.0+cu130-cp313-cp313-manylinux_2_28_x86_64.whl",
        sha256=Sha256("ab" * 32),
        origin="vendor",
        path="whl",
        by="the vendor's release page",
        requires=("dep",),
    )
    rows = by_name(resolve_python(request_of("app==1.0", declared=(declared,)), services))
    far = rows["far"]
    assert (far.evidence, far.sha256, far.origin) == (Evidence.DECLARED, declared.sha256, "vendor")
    assert (far.by, far.path, far.via) == ("the vendor's release page", "whl", ("app",))
    assert rows["dep"].via == ("far",)


@pytest.mark.parametrize("dates", [True, False])
def test_named_index_serves_its_packages_and_no_other(
    index: Any, indexes: Any, services: Any, request_of: Any, dates: Any
) -> None:
    extra = indexes("extra", dates=dates)
    index.wheel("app", "1.0", requires=("torch==2.9.0", "dep"))
    index.wheel("dep", "1.0")
    theirs = index.wheel("torch", "2.9.0", tag=CPU, salt="default")
    ours = extra.wheel("torch", "2.9.0", tag=CPU, salt="extra", requires=("dep",))
    extra.wheel("dep", "2.0")
    named = PythonIndex(name="vendor", url=extra.url, packages=("torch",))
    rows = by_name(resolve_python(request_of("app==1.0", "torch==2.9.0", indexes=(named,)), services))
    assert rows["torch"].sha256 == ours != theirs
    assert rows["torch"].origin == "vendor"
    assert (rows["dep"].version, rows["dep"].origin) == ("1.0", "pypi")


def test_date_bound_holds_for_a_dated_named_index(
    index: Any, indexes: Any, services: Any, request_of: Any
) -> None:
    extra = indexes("extra")
    index.wheel("unrelated", "1")
    extra.wheel("torch", "2.9.0", salt="old")
    extra.wheel("torch", "2.9.0", tag=CPU, salt="new", uploaded="2026-06-01T00:00:00Z")
    named = PythonIndex(name="vendor", url=extra.url, packages=("torch",))
    (row,) = resolve_python(request_of("torch==2.9.0", indexes=(named,)), services)
    assert row.file == "torch-2.9.0-py3-none-any.whl"


def test_existing_pins_are_kept_unless_upgraded(index: Any, services: Any, request_of: Any) -> None:
    index.wheel("app", "1.0", requires=("lib", "other"))
    for version in ("1.0", "2.0"):
        index.wheel("lib", version)
        index.wheel("other", version)
    pins = (("lib", "1.0"), ("other", "1.0"), ("gone", "4"))
    kept = request_of("app==1.0", preferences=pins)
    assert versions(resolve_python(kept, services)) == {"app": "1.0", "lib": "1.0", "other": "1.0"}
    one = replace(kept, upgrade=("Lib",))
    assert versions(resolve_python(one, services)) == {"app": "1.0", "lib": "2.0", "other": "1.0"}
    everything = replace(kept, upgrade=UPGRADE_ALL)
    assert versions(resolve_python(everything, services)) == {"app": "1.0", "lib": "2.0", "other": "2.0"}


def test_constraints_bind_without_adding(index: Any, services: Any, request_of: Any) -> None:
    index.wheel("app", "1.0", requires=("lib",))
    index.wheel("lib", "1.0")
    index.wheel("lib", "2.0")
    index.wheel("unused", "1.0")
    rows = resolve_python(request_of("app==1.0", constraints=("lib==1.0", "unused==1.0")), services)
    assert versions(rows) == {"app": "1.0", "lib": "1.0"}


def test_component_name_stands_for_its_distribution(index: Any, services: Any, request_of: Any) -> None:
    index.wheel("flash-python", "1.0")
    rows = resolve_python(
        request_of("flash==1.0", aliases=Table({"flash": "flash-python", "flash-python": "flash-python"})),
        services,
    )
    assert versions(rows) == {"flash-python": "1.0"}


@pytest.mark.parametrize(
    "root",
    ["app", "app>=1.0", "app==1.*", "app~=1.0", "app @ https://files.invalid/app-1.0-py3-none-any.whl"],
)
def test_unbound_root_is_refused(index: Any, services: Any, request_of: Any, root: Any) -> None:
    with pytest.raises(RecipeError, match=r"is not bound by `==`"):
        resolve_python(request_of(root), services)
    assert index.requests == []


def test_unknown_extra_of_a_root_is_refused(index: Any, services: Any, request_of: Any) -> None:
    index.wheel("app", "1.0", extras=("more",))
    with pytest.raises(RecipeError, match=r"has no extra 'mroe'") as caught:
        resolve_python(request_of("app[mroe]==1.0"), services)
    assert caught.value.hint == "use one of its extras: more"


def test_user_configuration_does_not_count(
    index: Any, indexes: Any, services: Any, request_of: Any, tmp_path: Any, monkeypatch: Any
) -> None:
    index.wheel("app", "1.0", requires=("lib",))
    index.wheel("lib", "1.0")
    hostile = indexes("hostile")
    hostile.wheel("app", "1.0", salt="hostile")
    hostile.wheel("lib", "9.0")
    first = resolve_python(request_of("app==1.0"), services)
    config = tmp_path / "config"
    (config / "uv").mkdir(parents=True)
    (config / "uv" / "uv.toml").write_text(
        f'resolution = "lowest"\n[[index]]\nname = "h"\nurl = "{hostile.url}"\n[pip]\nprerelease = "allow"\n'
    )
    (tmp_path / "tmp").mkdir()
    (tmp_path / "tmp" / "pyproject.toml").write_text(
        '[tool.uv]\nresolution = "lowest"\n[tool.uv.workspace]\nmembers = ["*"]\n'
    )
    for name, value in {
        "UV_INDEX_URL": hostile.url,
        "UV_DEFAULT_INDEX": hostile.url,
        "UV_INDEX": hostile.url,
        "UV_EXTRA_INDEX_URL": hostile.url,
        "UV_CONSTRAINT": "/nonexistent",
        "UV_PRERELEASE": "allow",
        "UV_CONFIG_FILE": str(config / "uv" / "uv.toml"),
        "PIP_INDEX_URL": hostile.url,
        "XDG_CONFIG_HOME": str(config),
        "HOME": str(config),
        "TMPDIR": str(tmp_path / "tmp"),
        "PYTHONHASHSEED": "7",
        "LC_ALL": "tr_TR.UTF-8",
        "TZ": "Pacific/Kiritimati",
    }.items():
        monkeypatch.setenv(name, value)
    monkeypatch.chdir(tmp_path / "tmp")
    fresh = replace(services, uv_cache=tmp_path / "fresh", metadata=tmp_path / "fresh-metadata")
    assert resolve_python(request_of("app==1.0"), fresh) == first
    assert hostile.requests == []


def test_threads_share_one_view(index: Any, services: Any, request_of: Any) -> None:
    index.wheel("app", "1.0", requires=("lib",))
    index.wheel("lib", "1.0")
    requests = [
        request_of("app==1.0", arch=arch, python=python) for arch in Arch for python in ("3.12", "3.13")
    ]
    with ThreadPoolExecutor(4) as pool:
        results = list(pool.map(lambda item: resolve_python(item, services), requests))
    assert [versions(rows) for rows in results] == [{"app": "1.0", "lib": "1.0"}] * 4
    assert index.asked_by_uv.count("GET /default/simple/app/") == 1


def test_failed_first_resolution_does_not_block_the_next(index: Any, services: Any, request_of: Any) -> None:
    index.wheel("app", "1.0")
    with pytest.raises(NoSolutionError):
        resolve_python(request_of("app==3.0"), services)
    assert versions(resolve_python(request_of("app==1.0"), services)) == {"app": "1.0"}


def test_proof_of_uv_is_shown_when_nothing_better_is_known(
    index: Any, services: Any, request_of: Any
) -> None:
    index.wheel("app", "1.0", requires=("one", "two"))
    index.wheel("one", "1.0", requires=("lib<2",))
    index.wheel("two", "1.0", requires=("lib>=2",))
    index.wheel("lib", "1.0")
    index.wheel("lib", "2.0")
    with pytest.raises(NoSolutionError) as caught:
        resolve_python(request_of("app==1.0"), services)
    text = str(caught.value)
    assert "one depend on lib<2" in text
    assert "two depend on lib>=2" in text
    assert "the recipe has app==1.0" in text
    assert "lockwright-recipe" not in text


def test_diagnosis_survives_a_dead_index(
    index: Any, services: Any, request_of: Any, monkeypatch: Any
) -> None:
    index.wheel("app", "1.0", requires=("lib==2.0",))
    index.wheel("lib", "1.0")
    monkeypatch.setattr(type(services.client), "read_page", _refuse)
    with pytest.raises(NoSolutionError) as caught:
        resolve_python(request_of("app==1.0"), services)
    assert "lib==2.0" in str(caught.value)
    assert caught.value.hint == "run again when the index answers, to learn more: somewhere: no answer"


def _refuse(*_: Any, **__: Any) -> None:
    raise FetchError("no answer", place="somewhere")


def test_chain_of_exact_pins_is_followed(index: Any, services: Any, request_of: Any) -> None:
    index.wheel("app", "1.0", requires=("mid==1.0",))
    index.wheel("mid", "1.0", requires=("leaf==2.0",))
    index.wheel("leaf", "1.0")
    with pytest.raises(NoSolutionError) as caught:
        resolve_python(request_of("app==1.0"), services)
    assert "  mid 1.0 requires leaf==2.0\n  leaf 2.0 never existed on the index" in str(caught.value)


def test_absent_project_names_who_asks(index: Any, services: Any, request_of: Any) -> None:
    index.wheel("app", "1.0", requires=("mid==1.0",))
    index.wheel("mid", "1.0", requires=("absent>=1",))
    with pytest.raises(NoSolutionError) as caught:
        resolve_python(request_of("app==1.0"), services)
    assert "  mid 1.0 requires absent>=1\n  absent is not on the index" in str(caught.value)


def test_index_without_dates_is_named(index: Any, services: Any, request_of: Any) -> None:
    index.dates = False
    index.wheel("app", "1.0")
    with pytest.raises(NoSolutionError, match=r"states no upload time for app 1.0"):
        resolve_python(request_of("app==1.0"), services)


def test_warnings_of_uv_are_passed_on(index: Any, services: Any, request_of: Any, warnings_seen: Any) -> None:
    index.wheel("app", "1.0", requires=("lib[nothing]",))
    index.wheel("lib", "1.0")
    rows = by_name(resolve_python(request_of("app==1.0"), services))
    assert rows["lib"].extras == ()
    assert any("nothing" in text for text in warnings_seen)


def test_index_that_refuses_is_a_fetch_error(httpserver: Any, services: Any, request_of: Any) -> None:
    httpserver.expect_request("/refusing/app/").respond_with_data("no", 418)
    refusing = replace(services, index_url=httpserver.url_for("/refusing/"))
    with pytest.raises(FetchError) as caught:
        resolve_python(request_of("app==1.0"), refusing)
    assert caught.value.place == refusing.index_url


def test_bad_date_bound_names_itself(services: Any, request_of: Any) -> None:
    with pytest.raises(RecipeError, match=r"^exclude-newer: expected a time"):
        resolve_python(request_of("app==1.0", exclude_newer="last week"), services)


def test_requirement_from_a_place_is_refused(index: Any, services: Any, request_of: Any) -> None:
    place = index.server.url_for("/default/files/dep-1.0-py3-none-any.whl")
    index.wheel("app", "1.0", requires=(f"dep @ {place}",))
    index.wheel("dep", "1.0")
    with pytest.raises(NoSolutionError, match=r"app 1.0 requires dep @ .*: a fixed place, not the index"):
        resolve_python(request_of("app==1.0"), services)
