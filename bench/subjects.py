"""The programs under test: how each is started, and what the kernel says of it."""

import contextlib
import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).parent
SUBJECT_CORE, LOAD_CORE = 0, 1
_TICKS = os.sysconf("SC_CLK_TCK")

NGINX = """
daemon off; master_process off; pid {folder}/nginx.pid; error_log {folder}/error.log;
events {{ worker_connections 4096; }}
http {{
  access_log off; client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy;
  fastcgi_temp_path {folder}/f; uwsgi_temp_path {folder}/u; scgi_temp_path {folder}/s;
  upstream up {{ server 127.0.0.1:{upstream}; keepalive 512; }}
  server {{
    listen 127.0.0.1:{port} backlog=1024; keepalive_requests 1000000;
    location / {{ proxy_pass http://up; proxy_http_version 1.1; proxy_set_header Connection ""; proxy_buffering off; }}
  }}
}}
"""

OBJECTS = """
apiVersion: understudy.dev/v1alpha1
kind: LLMProvider
metadata: {{name: main}}
spec:
  type: {type}
  baseURL: {base_url}
  auth: {{none: {{}}}}
  models: [{{name: bench-large, capabilities: [Chat, Streaming], maxOutputTokens: 4096}}]
---
apiVersion: understudy.dev/v1alpha1
kind: LLMProvider
metadata: {{name: spare}}
spec:
  type: {type}
  baseURL: {base_url}
  auth: {{none: {{}}}}
  models: [{{name: bench-large, capabilities: [Chat, Streaming], maxOutputTokens: 4096}}]
---
apiVersion: understudy.dev/v1alpha1
kind: LLMRoute
metadata: {{name: chat}}
spec:
  rules:
    - backends:
        - {{providerRef: {{name: main}}, model: bench-large}}
        - {{providerRef: {{name: spare}}, model: bench-large, priority: 1}}
"""
PROVIDERS = {
    "understudy": ("OpenAICompatible", "http://127.0.0.1:{upstream}/v1"),
    "translated": ("Anthropic", "http://127.0.0.1:{upstream}"),
}
"""Understudy's subjects: the type of their providers, and where those are."""


@dataclass(frozen=True, slots=True)
class Subject:
    """A running program under test."""

    name: str
    port: int
    pids: tuple[int, ...]
    cold_start_seconds: float

    def cpu_seconds(self) -> float:
        """User and system time of all its processes so far."""
        return sum(_cpu_seconds(pid) for pid in self.pids)

    def rss_mb(self) -> float:
        """Resident memory of its largest process."""
        return max(_rss_mb(pid) for pid in self.pids)


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@contextlib.contextmanager
def upstream() -> Iterator[int]:
    """The upstream, on the core of the load."""
    port = free_port()
    with _process([sys.executable, str(HERE / "upstream.py"), str(port)], core=LOAD_CORE) as process:
        _wait_for(port, process)
        yield port


@contextlib.contextmanager
def subject(name: str, *, upstream_port: int, folder: Path) -> Iterator[Subject]:
    """Start one of `nginx`, `passthrough`, `understudy`, `translated` in front of the upstream."""
    port, admin = free_port(), free_port()
    folder.mkdir(parents=True, exist_ok=True)
    command = _command(name, port=port, admin=admin, upstream_port=upstream_port, folder=folder)
    started = time.perf_counter()
    with _process(command, core=SUBJECT_CORE, log=folder / "log") as process:
        _wait_for_answer(port, process)
        cold = time.perf_counter() - started
        yield Subject(name=name, port=port, pids=_family(process.pid), cold_start_seconds=cold)


def _command(name: str, *, port: int, admin: int, upstream_port: int, folder: Path) -> list[str]:
    if name == "nginx":
        (folder / "nginx.conf").write_text(NGINX.format(folder=folder, port=port, upstream=upstream_port))
        nginx = shutil.which("nginx", path=f"{os.environ['PATH']}:/usr/sbin")
        if nginx is None:
            raise FileNotFoundError("nginx is missing: apt install nginx-light")
        return [nginx, "-c", str(folder / "nginx.conf")]
    if name == "passthrough":
        return [sys.executable, str(HERE / "passthrough.py"), str(port), f"http://127.0.0.1:{upstream_port}"]
    kind, base_url = PROVIDERS[name]
    (folder / "objects.yaml").write_text(OBJECTS.format(type=kind, base_url=base_url.format(upstream=upstream_port)))
    understudy = str(Path(sys.executable).with_name("understudy"))
    return [
        understudy, "serve", "-f", str(folder / "objects.yaml"), "--no-watch",
        "--port", str(port), "--admin-port", str(admin),
    ]  # fmt: skip


@contextlib.contextmanager
def _process(command: list[str], *, core: int, log: Path | None = None) -> Iterator[subprocess.Popen[bytes]]:
    with contextlib.ExitStack() as stack:
        output = stack.enter_context(log.open("wb")) if log else subprocess.DEVNULL
        pinned = ["taskset", "-c", str(core), *command]
        process = subprocess.Popen(pinned, stdout=output, stderr=output, stdin=subprocess.DEVNULL)
        try:
            yield process
        finally:
            process.terminate()
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def _wait_for(port: int, process: subprocess.Popen[bytes], *, seconds: float = 15) -> None:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if process.poll() is not None:
            raise RuntimeError(f"{process.args!r} ended with {process.returncode}")
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
            return
        time.sleep(0.005)
    raise TimeoutError(f"nothing listens on {port}")


def _wait_for_answer(port: int, process: subprocess.Popen[bytes], *, seconds: float = 15) -> None:
    body = b'{"model":"chat","messages":[{"role":"user","content":"hi"}]}'
    request = (
        b"POST /v1/chat/completions HTTP/1.1\r\nHost: bench\r\nContent-Type: application/json\r\n"
        b"Connection: close\r\nContent-Length: %d\r\n\r\n%b" % (len(body), body)
    )
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        _wait_for(port, process, seconds=seconds)
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=2) as client:
            client.sendall(request)
            if client.recv(64).startswith(b"HTTP/1.1 200"):
                return
        time.sleep(0.005)
    raise TimeoutError(f"no answer on {port}")


def _family(pid: int) -> tuple[int, ...]:
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return (pid, *(descendant for child in children for descendant in _family(int(child))))


def _cpu_seconds(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rsplit(") ", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / _TICKS


def _rss_mb(pid: int) -> float:
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) / 1024
    return 0.0
