"""Pages for people, and the files that they are made of."""

import re

import pytest

from tests.http.conftest import Api


@pytest.mark.parametrize("path", ["/", "/watch/table", "/studio/table"])
async def test_page_is_served_with_all_it_needs(api: Api, path: str) -> None:
    answer = await api.request("GET", path)
    assert answer.status == 200
    assert answer["Content-Type"].startswith("text/html")
    assert answer["Cache-Control"] == "no-cache"
    needed = re.findall(r'(?:src|href)="(/web/[^"]+)"', answer.text)
    assert needed
    for file in needed:
        assert (await api.request("GET", file)).status == 200


@pytest.mark.parametrize("path", ["/watch/.hidden", "/studio/a%20b", "/watch/" + "x" * 65])
async def test_page_of_a_bad_name_is_not_found(api: Api, path: str) -> None:
    answer = await api.request("GET", path)
    assert answer.status == 404
    assert "A stream's name has" in answer.text


@pytest.mark.parametrize("path", ["/web/..%2fconfig.py", "/web/%2e%2e/config.py", "/web/nothing.js", "/web/"])
async def test_file_outside_the_pages_is_not_served(api: Api, path: str) -> None:
    assert (await api.request("GET", path)).status in (403, 404)
