"""UCX and NIXL move bytes between two processes, and what arrives is compared with what was sent.

    transfers.py ucx  [--gpu] [--size BYTES]
    transfers.py nixl [--gpu] [--size BYTES] [--backend UCX] [--rows 4]
    transfers.py posix        [--size BYTES]

`ucx` sends by tag, puts and gets (libucp by ctypes). `nixl` writes and reads through an agent's backend.
Both take every pair of local and remote memory: host memory, and with `--gpu` that of the first GPU
too, which the driver's own library allocates. `posix` writes a file and reads it back with NIXL's
POSIX plugin. Standard library and the image's own UCX and NIXL; torch is not used.
Each transfer that differs or takes longer than LIMIT is named, and the exit code is 1.
"""

from __future__ import annotations

import argparse
import ctypes
import multiprocessing
import os
import random
import sys
import tempfile
import time
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from multiprocessing.connection import Connection

HOST, GPU = "DRAM", "VRAM"
LIMIT = 60.0  # seconds for one transfer
SIZE = 64 << 20
OURS, THEIRS = 1, 2
"""Seeds of the bytes that this process and its peer have before a transfer."""


class TransferError(Exception):
    """A transfer that did not do what it should."""


class Driver:
    """The driver's library: memory of the first GPU, in its primary context as PyTorch uses it."""

    def __init__(self) -> None:
        self._library = ctypes.CDLL("libcuda.so.1")
        self._call("cuInit", 0)
        device, context = ctypes.c_int(), ctypes.c_void_p()
        self._call("cuDeviceGet", ctypes.byref(device), 0)
        self._call("cuDevicePrimaryCtxRetain", ctypes.byref(context), device)
        self._call("cuCtxSetCurrent", context)
        self._device = device

    def describe(self) -> str:
        """Return the name of the GPU and the CUDA version of the driver."""
        name, version = ctypes.create_string_buffer(100), ctypes.c_int()
        self._call("cuDeviceGetName", name, len(name), self._device)
        self._call("cuDriverGetVersion", ctypes.byref(version))
        return f"{name.value.decode()}, driver for CUDA {version.value // 1000}.{version.value % 1000 // 10}"

    def allocate(self, size: int) -> int:
        """Return the address of new memory."""
        address = ctypes.c_uint64()
        self._call("cuMemAlloc_v2", ctypes.byref(address), ctypes.c_size_t(size))
        return address.value

    def free(self, address: int) -> None:
        """Give memory back."""
        self._call("cuMemFree_v2", ctypes.c_uint64(address))

    def write(self, address: int, data: bytes) -> None:
        """Copy `data` to the GPU, and wait."""
        self._call("cuMemcpyHtoD_v2", ctypes.c_uint64(address), data, ctypes.c_size_t(len(data)))
        self._call("cuCtxSynchronize")

    def read(self, address: int, size: int) -> bytes:
        """Copy from the GPU."""
        data = ctypes.create_string_buffer(size)
        self._call("cuCtxSynchronize")
        self._call("cuMemcpyDtoH_v2", data, ctypes.c_uint64(address), ctypes.c_size_t(size))
        return data.raw

    def _call(self, name: str, *arguments: Any) -> None:
        code = getattr(self._library, name)(*arguments)
        if code:
            raise TransferError(f"{name}: CUDA error {code}")


class Memory:
    """Memory of one kind with bytes of a seed in it."""

    def __init__(self, kind: str, size: int, seed: int, driver: Driver | None) -> None:
        self.kind, self.size = kind, size
        self._driver = driver
        data = seeded_bytes(seed, size)
        if kind == HOST:
            self._host = ctypes.create_string_buffer(data, size)
            self.address = ctypes.addressof(self._host)
        else:
            assert driver is not None
            self.address = driver.allocate(size)
            driver.write(self.address, data)

    def has(self, seed: int) -> bool:
        """Whether its bytes are now those of `seed`."""
        if self.kind == HOST:
            return self._host.raw == seeded_bytes(seed, self.size)
        assert self._driver is not None
        return self._driver.read(self.address, self.size) == seeded_bytes(seed, self.size)

    def free(self) -> None:
        """Give GPU memory back; host memory goes with the object."""
        if self.kind == GPU and self._driver is not None:
            self._driver.free(self.address)


def seeded_bytes(seed: int, size: int) -> bytes:
    """Return the same `size` bytes for the same seed, everywhere."""
    return random.Random(seed).randbytes(size)


# --- UCX, by ctypes: parameters are structs that a mask says the used fields of ------------------

_FIELDS = 256  # bytes: more than any of the structs; what is not used stays zero
_TAG, _RMA = 1, 2
_IN_PROGRESS = 1
_FIRST_ERROR = 2**64 - 100


def _struct(**fields: tuple[int, int]) -> Any:
    """Return a zeroed struct with 64-bit values at byte offsets."""
    data = ctypes.create_string_buffer(_FIELDS)
    for offset, value in fields.values():
        ctypes.c_uint64.from_buffer(data, offset).value = value
    return data


class UcxWorker:
    """One UCP context with one worker."""

    def __init__(self) -> None:
        self.library = ctypes.CDLL("libucp.so.0")
        for name in (
            "ucp_tag_send_nbx",
            "ucp_tag_recv_nbx",
            "ucp_put_nbx",
            "ucp_get_nbx",
            "ucp_ep_flush_nbx",
        ):
            getattr(self.library, name).restype = ctypes.c_void_p
        config, self.context, self.worker = ctypes.c_void_p(), ctypes.c_void_p(), ctypes.c_void_p()
        self._check("ucp_config_read", None, None, ctypes.byref(config))
        params = _struct(mask=(0, 1), features=(8, _TAG | _RMA))
        self._check("ucp_init_version", 1, 10, params, config, ctypes.byref(self.context))
        self._check("ucp_worker_create", self.context, _struct(), ctypes.byref(self.worker))
        address, length = ctypes.c_void_p(), ctypes.c_size_t()
        self._check("ucp_worker_get_address", self.worker, ctypes.byref(address), ctypes.byref(length))
        self.address = ctypes.string_at(address, length.value)
        self.endpoint = ctypes.c_void_p()

    def version(self) -> str:
        """Return the library's own version."""
        self.library.ucp_get_version_string.restype = ctypes.c_char_p
        return str(self.library.ucp_get_version_string().decode())

    def connect(self, address: bytes) -> None:
        """Make an endpoint to the worker of that address."""
        self._peer = ctypes.create_string_buffer(address, len(address))
        params = _struct(mask=(0, 1), address=(8, ctypes.addressof(self._peer)))
        self._check("ucp_ep_create", self.worker, params, ctypes.byref(self.endpoint))

    def progress(self) -> None:
        """Let the worker do what is to be done."""
        self.library.ucp_worker_progress(self.worker)

    def wait(self, request: int | None, what: str) -> None:
        """Wait for a request (TransferError if it fails or takes longer than LIMIT)."""
        if not request:
            return
        if request >= _FIRST_ERROR:
            raise TransferError(f"{what}: UCX status {request - 2**64}")
        until = time.monotonic() + LIMIT
        status = _IN_PROGRESS
        while status == _IN_PROGRESS:
            self.progress()
            status = self.library.ucp_request_check_status(ctypes.c_void_p(request))
            if time.monotonic() > until:
                raise TransferError(f"{what}: not done after {LIMIT:.0f} s")
        self.library.ucp_request_free(ctypes.c_void_p(request))
        if status:
            raise TransferError(f"{what}: UCX status {status}")

    def register(self, memory: Memory) -> tuple[Any, bytes]:
        """Return the handle of registered memory, and the key with which a peer may reach it."""
        handle, key, length = ctypes.c_void_p(), ctypes.c_void_p(), ctypes.c_size_t()
        params = _struct(mask=(0, 3), address=(8, memory.address), length=(16, memory.size))
        self._check("ucp_mem_map", self.context, params, ctypes.byref(handle))
        self._check("ucp_rkey_pack", self.context, handle, ctypes.byref(key), ctypes.byref(length))
        return handle, ctypes.string_at(key, length.value)

    def release(self, handle: Any) -> None:
        """Take back a registration."""
        self._check("ucp_mem_unmap", self.context, handle)

    def send(self, memory: Memory, tag: int) -> None:
        """Send by tag."""
        request = self.library.ucp_tag_send_nbx(
            self.endpoint, ctypes.c_void_p(memory.address), ctypes.c_size_t(memory.size),
            ctypes.c_uint64(tag), _struct(),
        )  # fmt: skip
        self.wait(request, "send")

    def receive(self, memory: Memory, tag: int) -> int | None:
        """Begin to receive by tag; return the request."""
        request: int | None = self.library.ucp_tag_recv_nbx(
            self.worker, ctypes.c_void_p(memory.address), ctypes.c_size_t(memory.size), ctypes.c_uint64(tag),
            ctypes.c_uint64(2**64 - 1), _struct(),
        )  # fmt: skip
        return request

    def one_sided(self, name: str, memory: Memory, remote: int, key: bytes) -> None:
        """Put to, or get from, registered memory of the peer, and flush."""
        packed, unpacked = ctypes.create_string_buffer(key, len(key)), ctypes.c_void_p()
        self._check("ucp_ep_rkey_unpack", self.endpoint, packed, ctypes.byref(unpacked))
        request = getattr(self.library, f"ucp_{name}_nbx")(
            self.endpoint, ctypes.c_void_p(memory.address), ctypes.c_size_t(memory.size),
            ctypes.c_uint64(remote), unpacked, _struct(),
        )  # fmt: skip
        self.wait(request, name)
        self.wait(self.library.ucp_ep_flush_nbx(self.endpoint, _struct()), f"flush after {name}")
        self.library.ucp_rkey_destroy(unpacked)

    def _check(self, name: str, *arguments: Any) -> None:
        status = getattr(self.library, name)(*arguments)
        if status:
            raise TransferError(f"{name}: UCX status {status}")


def ucx_peer(pipe: Connection, size: int, *, gpu: bool) -> None:
    """Answer the other process until it says `end`: make memory, receive, and compare bytes."""
    driver = Driver() if gpu else None
    worker = UcxWorker()
    pipe.send(worker.address)
    worker.connect(pipe.recv())
    memory, handle, request = Memory(HOST, 1, OURS, None), None, None
    while True:
        worker.progress()
        if not pipe.poll(0):
            continue
        order, value = pipe.recv()
        if order == "end":
            return
        if order == "make":
            memory = Memory(value, size, THEIRS, driver)
            handle, key = worker.register(memory)
            pipe.send((memory.address, key))
        elif order == "receive":
            request = worker.receive(memory, value)
            pipe.send(None)
        elif order == "received":
            worker.wait(request, "receive")
            pipe.send(None)
        elif order == "has":
            pipe.send(memory.has(value))
            worker.release(handle)
            memory.free()


def check_ucx(size: int, *, gpu: bool) -> Iterator[str]:
    """Yield what went wrong of each transfer of UCX."""
    kinds = (HOST, GPU) if gpu else (HOST,)
    driver = Driver() if gpu else None
    with peer_process(ucx_peer, size, gpu=gpu) as pipe:
        worker = UcxWorker()
        print(f"UCX {worker.version()}, {size} bytes, two processes", flush=True)
        pipe.send(worker.address)
        worker.connect(pipe.recv())
        for tag, (local, remote, how) in enumerate(
            (local, remote, how) for local in kinds for remote in kinds for how in ("tag", "put", "get")
        ):
            label = f"ucx {how} local={local} remote={remote}"
            pipe.send(("make", remote))
            address, key = pipe.recv()
            memory = Memory(local, size, OURS, driver)
            began = time.monotonic()
            if how == "tag":
                pipe.send(("receive", tag))
                pipe.recv()
                worker.send(memory, tag)
                pipe.send(("received", None))
                while not pipe.poll(0):
                    worker.progress()
                pipe.recv()
            else:
                worker.one_sided(how, memory, address, key)
            took = time.monotonic() - began
            pipe.send(("has", THEIRS if how == "get" else OURS))
            equal = pipe.recv() and memory.has(THEIRS if how == "get" else OURS)
            memory.free()
            print(
                f"{label}: bytes {'equal' if equal else 'DIFFER'}, first transfer {took * 1e3:.1f} ms",
                flush=True,
            )
            if not equal:
                yield f"{label}: bytes differ"
        pipe.send(("end", None))


# --- NIXL ----------------------------------------------------------------------------------------


def nixl_rows(memory: Memory, rows: int) -> list[tuple[int, int, int]]:
    """Return descriptors of equal parts of a memory: address, length, device."""
    part = memory.size // rows
    return [(memory.address + index * part, part, 0) for index in range(rows)]


def nixl_peer(pipe: Connection, size: int, *, gpu: bool, backend: str, rows: int) -> None:
    """Answer the other process until it says `end`: make registered memory, and compare bytes."""
    from nixl import nixl_agent, nixl_agent_config

    driver = Driver() if gpu else None
    agent = nixl_agent("theirs", nixl_agent_config(backends=[backend]))
    memory, registered = Memory(HOST, 1, OURS, None), None
    while True:
        order, value = pipe.recv()
        if order == "end":
            return
        if order == "make":
            memory = Memory(value, size, THEIRS, driver)
            registered = agent.register_memory([(memory.address, size, 0, "")], value)
            parts = agent.get_xfer_descs(nixl_rows(memory, rows), value)
            pipe.send((agent.get_agent_metadata(), agent.get_serialized_descs(parts)))
        elif order == "has":
            pipe.send(memory.has(value))
            agent.deregister_memory(registered)
            memory.free()


def check_nixl(size: int, *, gpu: bool, backend: str, rows: int) -> Iterator[str]:
    """Yield what went wrong of each transfer of NIXL."""
    kinds = (HOST, GPU) if gpu else (HOST,)
    driver = Driver() if gpu else None
    with peer_process(nixl_peer, size, gpu=gpu, backend=backend, rows=rows) as pipe:
        from nixl import nixl_agent, nixl_agent_config

        agent = nixl_agent("ours", nixl_agent_config(backends=[backend]))
        print(
            f"NIXL plugins {agent.get_plugin_list()}, {size} bytes in {rows} rows, two processes", flush=True
        )
        known = False
        for local, remote, how in ((a, b, how) for a in kinds for b in kinds for how in ("WRITE", "READ")):
            label = f"nixl {backend} {how} local={local} remote={remote}"
            memory = Memory(local, size, OURS, driver)
            registered = agent.register_memory([(memory.address, size, 0, "")], local)
            pipe.send(("make", remote))
            metadata, descriptors = pipe.recv()
            if known:
                agent.remove_remote_agent("theirs")
            agent.add_remote_agent(metadata)
            known = True
            transfer = agent.initialize_xfer(
                how,
                agent.get_xfer_descs(nixl_rows(memory, rows), local),
                agent.deserialize_descs(descriptors),
                "theirs",
                b"done",
            )
            first = nixl_wait(agent, transfer, label)
            best = min(nixl_wait(agent, transfer, label) for _ in range(5))
            agent.release_xfer_handle(transfer)
            wanted = OURS if how == "WRITE" else THEIRS
            pipe.send(("has", wanted))
            equal = pipe.recv() and memory.has(wanted)
            agent.deregister_memory(registered)
            memory.free()
            print(
                f"{label}: bytes {'equal' if equal else 'DIFFER'}, first {first * 1e3:.1f} ms, "
                f"best {size / best / 1e9:.1f} GB/s",
                flush=True,
            )
            if not equal:
                yield f"{label}: bytes differ"
        pipe.send(("end", None))


def nixl_wait(agent: Any, transfer: Any, label: str) -> float:
    """Run a transfer; return its seconds (TransferError if it fails or takes longer than LIMIT)."""
    began = time.perf_counter()
    state = agent.transfer(transfer)
    while state != "DONE":
        took = time.perf_counter() - began
        if state == "ERR" or took > LIMIT:
            raise TransferError(f"{label}: state {state} after {took:.1f} s")
        state = agent.check_xfer_state(transfer)
    return time.perf_counter() - began


def check_posix(size: int) -> Iterator[str]:
    """Yield what went wrong of writing a file and reading it back with NIXL's POSIX plugin."""
    from nixl import nixl_agent, nixl_agent_config

    for option in ("use_aio", "use_posix_aio"):
        agent = nixl_agent("posix", nixl_agent_config(backends=[]))
        agent.create_backend("POSIX", {option: "true"})
        with tempfile.TemporaryFile() as file:
            file.truncate(size)
            for how in ("WRITE", "READ"):
                memory = Memory(HOST, size, OURS if how == "WRITE" else THEIRS, None)
                handles = [
                    agent.register_memory([(memory.address, size, 0, "")], HOST),
                    agent.register_memory([(0, size, file.fileno(), "")], "FILE"),
                ]
                here = agent.get_xfer_descs([(memory.address, size, 0)], HOST)
                there = agent.get_xfer_descs([(0, size, file.fileno())], "FILE")
                transfer = agent.initialize_xfer(how, here, there, "posix")
                took = nixl_wait(agent, transfer, f"posix {option} {how}")
                agent.release_xfer_handle(transfer)
                written = os.pread(file.fileno(), size, 0) == seeded_bytes(OURS, size)
                equal = written and memory.has(OURS)
                for handle in handles:
                    agent.deregister_memory(handle)
                print(
                    f"nixl POSIX {option} {how}: bytes {'equal' if equal else 'DIFFER'}, {took * 1e3:.1f} ms"
                )
                if not equal:
                    yield f"nixl POSIX {option} {how}: bytes differ"


class peer_process:  # noqa: N801 - used as a function
    """Run `target` in a process of its own; gives the pipe to it, and ends it whatever happens."""

    def __init__(self, target: Callable[..., None], size: int, **options: Any) -> None:
        spawning = multiprocessing.get_context("spawn")  # a CUDA context does not survive a fork
        self._ours, theirs = spawning.Pipe()
        self._process = spawning.Process(target=target, args=(theirs, size), kwargs=options, daemon=True)

    def __enter__(self) -> Connection:
        self._process.start()
        return self._ours

    def __exit__(self, *_: object) -> None:
        self._process.join(10)
        if self._process.is_alive():
            self._process.kill()


def main(words: list[str]) -> int:
    """Run the transfers that the command line names; 1 where one of them is wrong."""
    parser = argparse.ArgumentParser(allow_abbrev=False)
    parser.add_argument("what", choices=("ucx", "nixl", "posix"))
    parser.add_argument("--gpu", action="store_true")
    parser.add_argument("--size", type=int, default=SIZE)
    parser.add_argument("--rows", type=int, default=4)
    parser.add_argument("--backend", default="UCX")
    options = parser.parse_args(words)
    if options.gpu:
        print(f"GPU: {Driver().describe()}", flush=True)
    try:
        if options.what == "ucx":
            wrong = list(check_ucx(options.size, gpu=options.gpu))
        elif options.what == "nixl":
            wrong = list(
                check_nixl(options.size, gpu=options.gpu, backend=options.backend, rows=options.rows)
            )
        else:
            wrong = list(check_posix(options.size))
    except (TransferError, OSError, EOFError) as error:
        wrong = [str(error) or type(error).__name__]
    for text in wrong:
        print(f"FAILED {text}", flush=True)
    print(f"{options.what}: {'FAILED' if wrong else 'every transfer has equal bytes'}", flush=True)
    return 1 if wrong else 0


if __name__ == "__main__":
    code = main(sys.argv[1:])
    sys.stdout.flush()
    os._exit(code)  # threads of a failed backend may not end
