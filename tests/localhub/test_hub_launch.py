"""The lifetime contract: one server for a data directory, however many want it and however they end."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import httpx
import pytest

from localhub import launch, mirror
from tests.localhub.conftest import ROOT, serve, until


def alive(url: str) -> bool:
    try:
        return httpx.get(f"{url}/api/agent-harnesses", timeout=2).status_code == 200
    except httpx.TransportError:
        return False


def test_starts_and_ends_with_the_block(tmp_path: Path) -> None:
    with launch.running(tmp_path) as server:
        assert server.started and server.user == "local" and alive(server.url)
        first = server
    assert not alive(first.url) and not (tmp_path / "server.json").exists()
    with launch.running(tmp_path) as server:
        assert server.token == first.token


def test_live_server_is_used_and_left_running(tmp_path: Path) -> None:
    process, url = serve(tmp_path, "--port", "0")
    try:
        with launch.running(tmp_path) as server:
            assert (server.url, server.started) == (url, False)
        assert alive(url)
        again = subprocess.run(
            [sys.executable, "-m", "localhub", "serve", "--data", str(tmp_path)],
            cwd=ROOT,
            capture_output=True,
        )
        said = f"error: another server already serves {tmp_path}, at {url}\n"
        assert (again.returncode, again.stdout.decode()) == (3, said)
    finally:
        process.terminate()
        assert process.wait(timeout=5) == 0
        assert process.stdout is not None
        process.stdout.close()


def test_stale_address_file_of_a_killed_server(tmp_path: Path) -> None:
    process, url = serve(tmp_path)
    process.kill()
    process.wait()
    assert process.stdout is not None
    process.stdout.close()
    assert (tmp_path / "server.json").exists()
    with launch.running(tmp_path) as server:
        assert (server.started and server.url != url) or alive(server.url)


RACER = """
import sys, time
from pathlib import Path
from localhub import launch
with launch.running(Path(sys.argv[1])) as server:
    print(server.url, server.started, flush=True)
    sys.stdin.readline()
"""


def test_race_has_one_server(tmp_path: Path) -> None:
    racers = [
        subprocess.Popen(
            [sys.executable, "-c", RACER, str(tmp_path)],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for _ in range(3)
    ]
    lines = [racer.stdout.readline().split() for racer in racers if racer.stdout]
    for racer in racers:
        racer.communicate("\n", timeout=20)
    assert len({url for url, _ in lines}) == 1 and sorted(started for _, started in lines) == [
        "False",
        "False",
        "True",
    ]
    assert [racer.returncode for racer in racers] == [0, 0, 0]


def test_server_dies_with_a_killed_parent(tmp_path: Path) -> None:
    parent = subprocess.Popen(
        [sys.executable, "-c", RACER, str(tmp_path)],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert parent.stdout is not None
    url = parent.stdout.readline().split()[0]
    assert alive(url)
    parent.kill()
    parent.communicate()
    assert until(lambda: not alive(url)), "the server outlived its parent"


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_signals_end_it_cleanly_and_quickly(tmp_path: Path, number: int) -> None:
    process, url = serve(tmp_path)
    with httpx.Client() as idle:  # a kept-alive connection must not hold it up
        idle.get(url)
        begun = time.monotonic()
        process.send_signal(number)
        output, _ = process.communicate(timeout=10)
    assert process.returncode == 0 and output == "" and time.monotonic() - begun < 3


def test_an_answer_on_its_way_arrives_before_the_end(tmp_path: Path) -> None:
    large = tmp_path / "files/model.safetensors"
    large.parent.mkdir()
    large.write_bytes(bytes(50_000_000))  # more than the sockets hold
    mirror.add(tmp_path / "data", "org/large", large.parent, "large")
    process, url = serve(tmp_path / "data")
    with httpx.stream("GET", f"{url}/org/large/resolve/main/model.safetensors") as answer:
        parts = answer.iter_raw()
        received = len(next(parts))
        process.send_signal(signal.SIGTERM)
        time.sleep(0.3)
        assert process.poll() is None
        received += sum(map(len, parts))
    assert received == 50_000_000
    output, _ = process.communicate(timeout=10)
    assert (process.returncode, output) == (0, "")


def test_port_is_honoured_and_a_taken_one_refused(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with (
            pytest.raises(launch.LaunchError, match=f"port {port} of 127.0.0.1 is not free"),
            launch.running(tmp_path, port),
        ):
            pass
    with launch.running(tmp_path, port) as server:
        assert server.url == f"http://127.0.0.1:{port}"


def test_other_hosts_are_refused(tmp_path: Path) -> None:
    for host in ("0.0.0.0", "192.168.1.5", "example.org"):
        done = subprocess.run(
            [sys.executable, "-m", "localhub", "serve", "--data", str(tmp_path), "--host", host],
            cwd=ROOT,
            capture_output=True,
            text=True,
        )
        assert (
            done.returncode == 1
            and done.stderr.startswith(f"error: --host {host}:")
            and done.stderr.count("\n") == 1
        )


def test_works_from_anywhere_and_through_no_proxy(tmp_path: Path) -> None:
    script = "from pathlib import Path\nfrom localhub.launch import running\n"
    script += "with running(Path('data')) as server: print(server.started)"
    environment = os.environ | {
        "PYTHONPATH": str(ROOT),
        "http_proxy": "http://127.0.0.1:9",
        "all_proxy": "socks5://x:1",
    }
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=tmp_path, env=environment, capture_output=True, text=True
    )
    assert done.stdout == "True\n", done.stderr


def test_launch_imports_no_server() -> None:
    heavy = "{'starlette', 'uvicorn', 'pygit2', 'jinja2', 'asyncio', 'http.client', 'ssl'}"
    script = f"import sys, localhub.launch; print(sorted({heavy} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True)
    assert done.stdout == "[]\n", done.stdout + done.stderr


def test_serving_imports_pages_only_when_needed() -> None:
    heavy = "{'jinja2', 'markdown_it', 'nh3', 'ruamel.yaml', 'huggingface_hub', 'stages'}"
    script = f"import sys, localhub.serve; print(sorted({heavy} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True)
    assert done.stdout == "[]\n", done.stdout + done.stderr
