"""The sidecar as a process, against an API server over TLS."""

import asyncio
import os
import signal
import sys
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from gateway.cordon.__main__ import api_in_cluster, main
from gateway.cordon.drain_file import SIGNATURE
from tests.cordon.api_server import NAME, ApiServerStub, node, refuse
from tests.e2e.waiting import until

PATIENCE_S = 60


async def test_sidecar_follows_its_node_and_leaves_the_file_at_its_end(server: ApiServerStub, tmp_path: Path) -> None:
    drain = tmp_path / "drain"
    host, port = server.url.removeprefix("https://").rsplit(":", 1)
    environment = {"NODE_NAME": NAME, "KUBERNETES_SERVICE_HOST": host, "KUBERNETES_SERVICE_PORT": port}
    arguments = ["--file", str(drain), "--credentials", str(server.credentials), "--every", "1", "--port", "0"]
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "gateway.cordon", *arguments,
        env={**os.environ, **environment}, stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    try:
        server.answer = node(unschedulable=True)
        await until(drain.exists, PATIENCE_S)
        assert drain.read_text().startswith(SIGNATURE)
        server.answer = node()
        await until(lambda: not drain.exists(), PATIENCE_S)
        server.answer = node(unschedulable=True)
        await until(drain.exists, PATIENCE_S)
        server.reply = refuse(403)
        asked = len(server.asked)
        await until(lambda: len(server.asked) >= asked + 3, PATIENCE_S)
        process.send_signal(signal.SIGTERM)
        async with asyncio.timeout(PATIENCE_S):
            _, said = await process.communicate()
        assert process.returncode == 0, said.decode()
        assert said.decode().count("status 403") == 1
        await until(drain.exists)
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


REFUSED = {
    "no node": ([], "Missing option '--node'"),
    "empty node": (["--node", ""], "it has to be this node's name"),
    "no cluster": (["--node", NAME], "This is no pod (KUBERNETES_SERVICE_HOST)"),
    "in the clear": (["--node", NAME, "--api", "http://127.0.0.1"], "The token is only shown over https."),
}


@pytest.mark.parametrize(("arguments", "why"), REFUSED.values(), ids=REFUSED)
def test_command_line_that_cannot_work_is_refused(arguments: list[str], why: str) -> None:
    variables = dict.fromkeys(("NODE_NAME", "KUBERNETES_SERVICE_HOST", "KUBERNETES_SERVICE_PORT"))
    done = CliRunner(env=variables).invoke(main, arguments)
    assert done.exit_code == 2
    assert why in done.output


def test_api_server_is_where_the_pods_variables_say() -> None:
    assert api_in_cluster("10.96.0.1", "443") == "https://10.96.0.1:443"
    assert api_in_cluster("fd00::1", "6443") == "https://[fd00::1]:6443"
    with pytest.raises(click.UsageError):
        api_in_cluster("10.96.0.1", None)
