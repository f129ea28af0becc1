"""`lock` with other indexes, declared wheels and images that hold Python distributions, on loopback.

The two extra indexes answer in the shapes of PyTorch's and NVIDIA's own: HTML, no upload times; the former's
files lie beside the project folders, with a local version; the latter's in them, tagged `linux_<arch>`.
"""

from __future__ import annotations

import shutil
from pathlib import Path
from urllib.parse import unquote

import pytest
from pytest_httpserver import HTTPServer

from builder.model.digest import Evidence
from tests.local_index import LocalIndex
from tests.standin.vendor_index import SMALL, Project, VendorIndex, vendor


@pytest.fixture
def project(tmp_path: Path, index: LocalIndex) -> Project:
    root = tmp_path / "project"
    shutil.copytree(SMALL, root)
    shutil.rmtree(root / "lock")
    index.warehouse = True
    index.wheel("pip", "26.2.1")
    return Project(root=root, index=index)


@pytest.fixture
def pytorch(httpserver: HTTPServer, project: Project) -> VendorIndex:
    """PyTorch's index for CUDA 12.9 beside a default index whose aarch64 wheel of torch is CPU-only."""
    found = vendor(httpserver, "/whl/cu129/", "/whl/cu129/")
    cuda = ("nvidia-cuda-runtime-cu12==12.9.79",)
    project.index.wheel("nvidia-cuda-runtime-cu12", "12.9.79")
    project.index.wheel("torch", "2.8.0", tag="cp313-cp313-manylinux_2_28_x86_64", requires=cuda)
    project.index.wheel("torch", "2.8.0", tag="cp313-cp313-manylinux_2_28_aarch64")
    project.change("releases/1.0.toml", ('idna = "3.10"', 'torch = "2.8.0"'))
    project.write("frameworks/tiny.toml", TORCH.replace("INDEX", found.url))
    project.write(
        "origins.toml", f'[origins.pytorch-cu129]\nurl = "{found.url}"\nlayout = "flat"\ninsecure = true\n'
    )
    return found


TORCH = """\
name = "tiny"
summary = "An image with torch"
license = "MIT"
roots = ["torch"]
accelerated = ["torch"]
accelerated-hint = "PyTorch's own index for CUDA 12.9 has it"

[[variants]]
when = { arch = "aarch64" }

[[variants.indexes]]
name = "pytorch-cu129"
url = "INDEX"
packages = ["torch"]
"""


def test_torch_with_cuda_for_aarch64_comes_from_pytorch_s_own_index(
    project: Project, pytorch: VendorIndex
) -> None:
    digest = pytorch.wheel("torch", "2.8.0+cu129", "cp313-cp313-manylinux_2_28_aarch64")
    assert project.run() == 0
    rows = {arch: {row.name: row for row in project.lock(arch).python} for arch in ("x86_64", "aarch64")}
    own, default = rows["aarch64"]["torch"], rows["x86_64"]["torch"]
    assert (own.version, own.origin, own.path, own.sha256) == ("2.8.0+cu129", "pytorch-cu129", "", digest)
    assert own.evidence is Evidence.INDEX
    assert (default.version, default.origin) == ("2.8.0", "pypi")
    assert rows["aarch64"]["pip"].origin == "pypi"
    text = (project.root / "lock/1.0/plain/tiny-aarch64.toml").read_text()
    assert pytorch.server.host not in text
    assert project.run("--arch", "aarch64", verb="fetch") == 0
    assert digest in {path.parent.name + path.name for path in (project.root / "cache/store").rglob("*")}


def test_without_that_index_torch_for_aarch64_is_refused_with_the_recipe_s_hint(
    project: Project, pytorch: VendorIndex, capsys: pytest.CaptureFixture[str]
) -> None:
    project.change("frameworks/tiny.toml", ('arch = "aarch64"', 'arch = "x86_64", cuda = true'))
    assert project.run("--arch", "aarch64") == 5
    said = capsys.readouterr().err
    assert "torch-2.8.0-cp313-cp313-manylinux_2_28_aarch64.whl is built without CUDA" in said
    assert "hint: PyTorch's own index for CUDA 12.9 has it" in said


def test_an_index_that_does_not_have_it_is_an_error_not_another_index(
    project: Project, pytorch: VendorIndex, capsys: pytest.CaptureFixture[str]
) -> None:
    pytorch.wheel("torch", "2.7.1+cu129", "cp313-cp313-manylinux_2_28_aarch64")
    assert project.run("--arch", "aarch64") == 5
    assert "torch 2.8.0 never existed on the index" in capsys.readouterr().err
    assert not (project.root / "lock").exists()


def test_an_index_out_of_reach_is_named(
    project: Project, pytorch: VendorIndex, capsys: pytest.CaptureFixture[str]
) -> None:
    closed = "http://127.0.0.1:9/whl/cu129/"
    project.change("frameworks/tiny.toml", (pytorch.url, closed))
    assert project.run("--arch", "aarch64") == 6
    assert closed in capsys.readouterr().err.splitlines()[0]


def test_wheels_of_tensorrt_llm_come_from_nvidia_s_index(
    project: Project, httpserver: HTTPServer, capsys: pytest.CaptureFixture[str]
) -> None:
    nvidia = vendor(httpserver, "/nvidia/", "/nvidia/{project}/")
    digests = {
        arch: nvidia.wheel("tensorrt-llm", "1.2.0rc3", f"cp313-cp313-linux_{arch}", ("numpy<2",))
        for arch in ("x86_64", "aarch64")
    }
    project.index.wheel("numpy", "1.26.4")
    stub = {
        "PKG-INFO": "Metadata-Version: 2.1\nName: tensorrt-llm\nVersion: 1.2.0rc3\n",
        "pyproject.toml": '[build-system]\nrequires = ["wheel-stub"]\nbuild-backend = "wheel_stub.buildapi"\n'
        f'[tool.wheel_stub]\nindex_url = "{nvidia.url}"\n',
    }
    project.index.sdist("tensorrt-llm", "1.2.0rc3", stub)
    project.change("releases/1.0.toml", ('idna = "3.10"', 'tensorrt-llm = "1.2.0rc3"'))
    bare = 'name = "tiny"\nsummary = "TensorRT-LLM"\nlicense = "MIT"\nroots = ["tensorrt-llm"]\n'
    project.write("frameworks/tiny.toml", bare)
    assert project.run() == 5
    assert f"downloads the real wheel from {nvidia.url}" in capsys.readouterr().err
    index = f'[[indexes]]\nname = "nvidia"\nurl = "{nvidia.url}"\npackages = ["tensorrt-llm"]\n'
    project.write("frameworks/tiny.toml", bare + index)
    project.write(
        "origins.toml", f'[origins.nvidia]\nurl = "{nvidia.url}"\nlayout = "simple"\ninsecure = true\n'
    )
    assert project.run() == 0
    for arch, digest in digests.items():
        rows = {row.name: row for row in project.lock(arch).python}
        assert (rows["tensorrt-llm"].origin, rows["tensorrt-llm"].sha256) == ("nvidia", digest)
        assert rows["numpy"].origin == "pypi"
    assert project.run("--arch", "x86_64", verb="fetch") == 0


HELD = """\
image-python = true

[[images.x86_64]]
python = ["numpy==1.26.4", "tensorrt-llm==1.2.0rc3", "torch==2.9.0a0+145a3a7bda.nv25.10"]
python-by = "the test"
"""


@pytest.fixture
def held(project: Project) -> Project:
    """A platform whose image holds TensorRT-LLM and what it needs; ai-dynamo goes on top of it."""
    project.change("platforms/plain.toml", ("[[images.x86_64]]", HELD))
    project.change("releases/1.0.toml", ('idna = "3.10"', 'ai-dynamo = "0.7.1"\ntensorrt-llm = "1.2.0rc3"'))
    project.write(
        "frameworks/tiny.toml",
        'name = "tiny"\nsummary = "On an image"\nlicense = "MIT"\n'
        'roots = ["ai-dynamo[trtllm]", "tensorrt-llm"]\npythons = ["3.12", "3.13"]\n'
        '[[indexes]]\nname = "nvidia"\nurl = "https://vendor.invalid/"\npackages = ["tensorrt-llm"]\n',
    )
    project.index.wheel("uvloop", "0.22.1")
    ai_dynamo(project, "tensorrt-llm==1.2.0rc3; extra == 'trtllm'")
    return project


def ai_dynamo(project: Project, *requires: str) -> None:
    project.index.files = [item for item in project.index.files if item.name != "ai-dynamo"]
    common = ("numpy", "torch", "uvloop; extra == 'trtllm'")
    project.index.wheel("ai-dynamo", "0.7.1", requires=(*common, *requires), extras=("trtllm",))


def test_what_an_image_holds_is_counted_on_and_not_installed_again(held: Project) -> None:
    assert held.run("--arch", "x86_64") == 0
    lock = held.lock()
    assert {row.name for row in lock.python} == {"ai-dynamo", "pip", "uvloop"}
    assert lock.images[0].python[1] == "tensorrt-llm==1.2.0rc3"
    text = held.rendered()
    assert "python3.13 -m venv --without-pip --system-site-packages /opt/venv" in text
    assert "numpy==1.26.4 tensorrt-llm==1.2.0rc3 torch==2.9.0a0+145a3a7bda.nv25.10" in unquote(text)


def test_a_requirement_that_the_image_does_not_meet_names_both(
    held: Project, capsys: pytest.CaptureFixture[str]
) -> None:
    ai_dynamo(held, "numpy>=2")
    assert held.run("--arch", "x86_64") == 5
    said = capsys.readouterr().err
    assert "ai-dynamo[trtllm] 0.7.1 requires numpy>=2" in said or "ai-dynamo 0.7.1 requires numpy>=2" in said
    assert "the base image provides numpy 1.26.4" in said


def test_an_image_whose_list_is_unknown_is_not_locked(
    held: Project, capsys: pytest.CaptureFixture[str]
) -> None:
    assert held.run("--arch", "aarch64") == 6
    assert "Python distributions of registry.invalid/base:1 for aarch64" in capsys.readouterr().err


def test_a_python_that_the_engine_does_not_support_is_refused(
    held: Project, capsys: pytest.CaptureFixture[str]
) -> None:
    held.change("frameworks/tiny.toml", ('"3.12", "3.13"', '"3.10", "3.12"'))
    assert held.run("--arch", "x86_64") == 5
    assert "tiny supports Python 3.10 and 3.12, and plain has 3.13" in capsys.readouterr().err


def test_a_declared_wheel_is_locked_without_being_reached(project: Project) -> None:
    digest = "ab" * 32
    project.change("releases/1.0.toml", ('idna = "3.10"', 'torch = "2.8.0+cu129"'))
    project.index.wheel("filelock", "3.20.0")
    project.write(
        "frameworks/tiny.toml",
        'name = "tiny"\nsummary = "DeclaredWheel"\nlicense = "MIT"\nroots = ["torch"]\n'
        '[[variants]]\nwhen = { arch = "aarch64" }\n[[variants.declared]]\nname = "torch"\n'
        'version = "2.8.0+cu129"\nfile = "torch-2.8.0+cu129-cp313-cp313-manylinux_2_28_aarch64.whl"\n'
        f'sha256 = "{digest}"\norigin = "pytorch-cu129"\nby = "the test"\narch = "aarch64"\n'
        'requires = ["filelock"]\n',
    )
    assert project.run("--arch", "aarch64") == 0
    rows = {row.name: row for row in project.lock("aarch64").python}
    assert set(rows) == {"filelock", "pip", "torch"}
    row = rows["torch"]
    assert (row.evidence, row.sha256, row.by) == (Evidence.DECLARED, digest, "the test")
    assert rows["filelock"].via == ("torch",)
