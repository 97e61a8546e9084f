"""docs/access.md is true: a key and a token made as it says open the doors, and it lists every refusal."""

import asyncio
import json
import re
import sys
from pathlib import Path

import pytest
import yaml

from gateway.auth.claims import Expected, read_claims
from gateway.auth.key_set import MAX_KEY_SET_BYTES, MAX_KEYS
from gateway.auth.keys import MIN_EARLY_RELOAD_S
from gateway.auth.refusal import Cause
from gateway.auth.verifier import MAX_TOKEN_BYTES
from gateway.clock import unix_s
from tests.http.conftest import Api, Serve, serve

__all__ = ["serve"]

TEXT = (Path(__file__).parents[2] / "docs" / "access.md").read_text(encoding="utf-8")


def blocks(language: str) -> list[str]:
    """The fenced blocks of that language."""
    return re.findall(rf"```{language}\n(.*?)```", TEXT, re.DOTALL)


async def run(script: str, directory: Path, *arguments: str) -> str:
    """What the script printed, run in `directory`."""
    command = (sys.executable, "-c", script, *arguments)
    process = await asyncio.create_subprocess_exec(*command, cwd=directory, stdout=asyncio.subprocess.PIPE)
    out, _err = await process.communicate()
    assert process.returncode == 0
    return out.decode().strip()


async def _status(api: Api, path: str, token: str) -> int:
    return (await api.request("POST", path, "", {"Authorization": f"Bearer {token}"})).status


async def test_key_and_token_made_as_the_document_says_open_the_doors(serve: Serve, tmp_path: Path) -> None:
    make_key, make_token = blocks("python")
    await run(make_key, tmp_path, "2026-11")
    settings = yaml.safe_load(blocks("yaml")[0])["auth"]
    api = await serve(auth={**settings, "jwks": str(tmp_path / settings["jwks"])})
    token = await run(make_token, tmp_path, "2026-11", "player-4711", "roulette-1")
    # 415: it was let in, and had no offer.
    assert await _status(api, "/whep/roulette-1", token) == 415
    assert await _status(api, "/whep/roulette-2", token) == 403
    assert await _status(api, "/whip/roulette-1", token) == 403
    assert await _status(api, "/whep/roulette-1", token[:-4] + "AAAA") == 401

    await run(make_key, tmp_path, "2026-12")
    rotated = await run(make_token, tmp_path, "2026-12", "player-4711", "roulette-1")
    assert await _status(api, "/whep/roulette-1", rotated) == 415
    assert await _status(api, "/whep/roulette-1", token) == 415


def test_example_of_claims_is_good() -> None:
    claims = json.loads(blocks("json")[0])
    grant = read_claims(claims | {"exp": unix_s() + 60}, Expected(claims["iss"], claims["aud"]), unix_s())
    assert (grant.player, grant.jurisdiction) == ("player-4711", "MT")


def test_every_refusal_is_listed_as_it_is() -> None:
    rows = re.findall(r"^\| (\w+) \| (\d{3}) \| (.*?) \|$", TEXT, re.MULTILINE)
    assert rows == [(cause.label, str(cause.status), cause.sentence) for cause in Cause]


@pytest.mark.parametrize(
    "said",
    [
        f"A token is at most {MAX_TOKEN_BYTES} bytes long",
        f"longer than {MAX_KEY_SET_BYTES // 1024} KiB or {MAX_KEYS} keys",
        {5.0: "once in five seconds"}[MIN_EARLY_RELOAD_S],
    ],
)
def test_bounds_are_those_of_the_gateway(said: str) -> None:
    assert said in TEXT
