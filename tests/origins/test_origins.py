from __future__ import annotations

import pytest

from builder.errors import LockError, UsageError
from builder.origins.origins import LAYOUTS, Layout, Mirror, Origin, Origins, checked_place

HEX = "63/34/" + "a" * 60
BASE = "https://files.invalid/base/"


def one(layout: Layout) -> Origins:
    return Origins(origins=(Origin(name="o", url=BASE, layout=layout),))


@pytest.mark.parametrize(
    ("layout", "path", "file", "below"),
    [
        (
            "warehouse",
            HEX,
            "torch-2.9.0+cu130-cp312-cp312-linux_x86_64.whl",
            f"{HEX}/torch-2.9.0%2Bcu130-cp312-cp312-linux_x86_64.whl",
        ),
        (
            "simple",
            "",
            "nvidia_nccl_cu12-2.1-py3-none-any.whl",
            "nvidia-nccl-cu12/nvidia_nccl_cu12-2.1-py3-none-any.whl",
        ),
        ("simple", "", "Some.Thing-x-1.0.tar.gz", "some-thing-x/Some.Thing-x-1.0.tar.gz"),
        ("simple", "whl/cu130", "torch-1-py3-none-any.whl", "whl/cu130/torch-1-py3-none-any.whl"),
        (
            "pool",
            "",
            "pool/main/g/gcc/g++_4%3a13~rc1_amd64.deb",
            "pool/main/g/gcc/g%2B%2B_4%253a13~rc1_amd64.deb",
        ),
        ("flat", "", "a b.tar", "a%20b.tar"),
        ("flat", "v2.5.1/src", "a.tar", "v2.5.1/src/a.tar"),
        ("snapshot", "20251117T000000Z", "pool/main/a/a_1.deb", "20251117T000000Z/pool/main/a/a_1.deb"),
    ],
)
def test_url(layout: Layout, path: str, file: str, below: str) -> None:
    assert one(layout).url("o", path, file) == BASE + below


@pytest.mark.parametrize(
    ("layout", "path", "file", "message"),
    [
        (
            "warehouse",
            "",
            "a.whl",
            "a.whl: has the folder '', but the warehouse layout needs xx/yy/<60 hexadecimal digits>",
        ),
        (
            "warehouse",
            "63/34/zz",
            "a.whl",
            "a.whl: has the folder '63/34/zz', but the warehouse layout needs xx/yy/<60 hexadecimal digits>",
        ),
        (
            "snapshot",
            "",
            "pool/a.deb",
            "pool/a.deb: has the folder '', but the snapshot layout needs a time such as 20251117T000000Z",
        ),
        ("flat", "", "x/a", "x/a: contains a folder, and the flat layout has none"),
        ("simple", "", "readme", "readme: is not named like a wheel or sdist, so its folder is not known"),
        ("pool", "", "../../etc/passwd", "o: expected a relative path, got '../../etc/passwd'"),
        ("pool", "", "/etc/passwd", "o: expected a relative path, got '/etc/passwd'"),
        ("pool", "a/../b", "x", "o: expected a relative path, got 'a/../b'"),
        ("flat", "", "", "o: expected a relative path, got ''"),
        ("flat", "", "a\nb", r"o: expected a relative path, got 'a\nb'"),
        ("pool", "", "a\\b", r"o: expected a relative path, got 'a\\b'"),
    ],
)
def test_rows_that_do_not_fit(layout: Layout, path: str, file: str, message: str) -> None:
    with pytest.raises(LockError) as caught:
        one(layout).url("o", path, file)
    assert str(caught.value) == message


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("file", ["a?b", "a#b", "a%2e%2e", "$(x)", 'a"b'])
def test_nothing_in_a_name_ends_the_path(layout: Layout, file: str) -> None:
    folder = {"warehouse": HEX, "snapshot": "20251117T000000Z", "simple": "x"}.get(layout, "")
    url = one(layout).url("o", folder, file)
    assert not set('?#"$() ') & set(url.removeprefix("https://"))


def test_mirror_that_knows_no_times() -> None:
    mirror = Mirror(
        prefix="https://snapshot.invalid/archive/debian/*/", places=("https://m.invalid/debian/",)
    )
    origins = Origins(mirrors=(mirror,))
    snapshot = "https://snapshot.invalid/archive/debian/20251117T000000Z/pool/a.deb"
    assert origins.candidates(snapshot) == ("https://m.invalid/debian/pool/a.deb", snapshot)
    other = "https://snapshot.invalid/archive/debian/x"
    assert origins.candidates(other) == (other,)


def test_unknown_origin() -> None:
    with pytest.raises(UsageError) as caught:
        one("flat").url("nvidia", "", "a")
    assert str(caught.value) == "no origin 'nvidia' is configured"
    assert caught.value.hint.endswith("or pass --origin nvidia=LAYOUT+URL")


def test_candidates() -> None:
    origins = Origins(
        mirrors=(
            Mirror(prefix="https://a.invalid/", places=("https://m1.invalid/a/", "https://m2.invalid/")),
            Mirror(prefix="https://a.invalid/deep/", places=("https://m3.invalid/",)),
            Mirror(prefix="https://b.invalid/", places=("https://m4.invalid/",)),
        )
    )
    assert origins.candidates("https://a.invalid/deep/x") == (
        "https://m3.invalid/x",
        "https://m1.invalid/a/deep/x",
        "https://m2.invalid/deep/x",
        "https://a.invalid/deep/x",
    )
    assert origins.candidates("https://a.invalid.evil.invalid/x") == ("https://a.invalid.evil.invalid/x",)


@pytest.mark.parametrize(
    "url", ["http://127.0.0.1:8080/", "http://[::1]/", "http://localhost/", "https://h.invalid/"]
)
def test_loopback_and_tls_are_fine(url: str) -> None:
    Origins(origins=(Origin(name="o", url=url, layout="flat"),), mirrors=(Mirror(prefix=url, places=(url,)),))


def test_plain_http_needs_a_word() -> None:
    url = "http://corp.invalid/"
    with pytest.raises(UsageError) as caught:
        Origins(origins=(Origin(name="o", url=url, layout="flat"),))
    assert str(caught.value) == "origins.o.url: http://corp.invalid/ is not https"
    with pytest.raises(UsageError) as caught:
        Origins(mirrors=(Mirror(prefix="https://a.invalid/", places=(url,)),))
    assert str(caught.value) == 'mirrors."https://a.invalid/": http://corp.invalid/ is not https'
    assert "[insecure] hosts" in caught.value.hint
    Origins(origins=(Origin(name="o", url=url, layout="flat", insecure=True),))
    Origins(mirrors=(Mirror(prefix="https://a.invalid/", places=(url,)),), insecure_hosts=("corp.invalid",))


@pytest.mark.parametrize(
    ("url", "normal"),
    [("https://H.invalid", "https://h.invalid/"), ("https://h.invalid/A//", "https://h.invalid/A/")],
)
def test_checked_place(url: str, normal: str) -> None:
    assert checked_place(url, "here") == normal


@pytest.mark.parametrize(
    "url",
    ["", "h.invalid", "file:///srv", "ftp://h.invalid/", "https://", "https://h.invalid/?a", "https://h.invalid/#a",
     "https://h.invalid/a b", "https://h.invalid/\n", "https://h.invalid:x/", "https://[::1/", "https://h.invalid/ü",
     'https://h.invalid/"', "https://h.invalid/$(x)`"],
)  # fmt: skip
def test_places_that_are_none(url: str) -> None:
    with pytest.raises(UsageError) as caught:
        checked_place(url, "here")
    assert caught.value.place == "here"


def test_credentials_do_not_belong_into_a_place() -> None:
    with pytest.raises(UsageError) as caught:
        checked_place("https://me:secret@h.invalid/", "here")
    assert "secret" not in str(caught.value)
    assert caught.value.hint == "put them in ~/.netrc"


def test_origin_names() -> None:
    with pytest.raises(UsageError, match="'A b' is not an origin name"):
        Origin(name="A b", url=BASE, layout="flat")
