"""What the paper finder answers to programs."""

import concurrent.futures
import csv
import io
import json
import time

import openapi
import pytest
import requests
from gradio_client import Client

from conftest import ROOT

SAMPLES = [json.loads(line) for line in (ROOT / "samples/papers/papers.jsonl").read_text().splitlines()]
ATTENTION = "Attention Is All You Need"


def ask(finder, path: str = "/api/search", status: int = 200, **parameters):
    reply = requests.get(finder.url + path, params=parameters, timeout=60)
    assert reply.status_code == status, reply.text
    return reply.json()


def titles(found: dict) -> list[str]:
    return [paper["title"] for paper in found["results"]]


def test_a_title_finds_its_paper(finder):
    found = ask(finder, q="attention is all you need")
    assert titles(found)[0] == ATTENTION
    first = found["results"][0]
    assert "Ashish Vaswani" in first["authors"] and first["rank_by_words"] == 1 and first["snippet"] and "abstract" not in first


def test_everything_is_there_without_a_question(finder):
    found = ask(finder, n=1000)
    assert found["total"] == len(SAMPLES) + 1 == len(found["results"])
    years = [paper.get("year", 0) for paper in found["results"]]
    assert years == sorted(years, reverse=True)


def test_pages_follow_each_other_without_gap_or_twin(finder):
    whole = titles(ask(finder, q="learning", n=60))
    assert titles(ask(finder, q="learning", n=20)) + titles(ask(finder, q="learning", n=40, offset=20)) == whole
    assert len(set(whole)) == len(whole)


def test_filters_come_before_ranking_and_are_counted(finder):
    everything = ask(finder, n=0, facets=1000)
    year = everything["facets"]["year"][0]
    found = ask(finder, year=year["value"], n=1000)
    assert found["total"] == year["count"] and {str(paper["year"]) for paper in found["results"]} == {year["value"]}
    assert ask(finder, q="attention author:vaswani")["total"] == 1
    assert titles(ask(finder, q="attention", author="Vaswani, A.")) == [ATTENTION]


def test_what_filters_leave_nothing_says_so_and_what_would_help(finder):
    found = ask(finder, q="attention", author="vaswani", year="1950")
    assert found["total"] == 0
    assert any(each["total"] == 1 and each["without"][0]["field"] == "year" for each in found["relax"])


def test_an_answer_says_why(finder):
    [first] = ask(finder, q="transformer attention", n=1, explain=1)["results"]
    terms = first["why"]["terms"]
    assert terms and abs(sum(term["share"] for term in terms) - 1) < 1e-6


def test_an_abstract_comes_as_a_form(finder):
    paper = SAMPLES[5]
    found = requests.post(finder.url + "/api/search", data={"q": paper["abstract"], "n": 3}, timeout=60).json()
    assert titles(found)[0] == paper["title"]


def test_a_paper_is_there_whole(finder):
    id_ = ask(finder, q="attention is all you need", n=1)["results"][0]["id"]
    paper = ask(finder, "/api/paper", id=id_)
    assert paper["title"] == ATTENTION and len(paper["abstract"]) > 200
    assert ask(finder, "/api/paper", 404, id="no such")["code"] == "no_such_paper"
    assert ask(finder, "/api/paper", 404)["detail"]


@pytest.mark.parametrize("format_, kind", [("bib", "application/x-bibtex"), ("ris", "application/x-research-info-systems"), ("csv", "text/csv"),
                                           ("json", "application/json"), ("jsonl", "application/x-ndjson"), ("csl-json", "csl+json"), ("md", "text/markdown")])
def test_all_results_go_out_in_every_format(finder, format_, kind):
    total = ask(finder, q="learning", mode="words")["total"]
    reply = requests.get(finder.url + "/api/export", params={"q": "learning", "mode": "words", "format": format_}, timeout=60)
    assert reply.status_code == 200 and kind in reply.headers["content-type"]
    assert "attachment" in reply.headers["content-disposition"]
    counts = {"bib": lambda text: text.count("\n@") + text.startswith("@"), "ris": lambda text: text.count("ER  -"),
              "csv": lambda text: len(list(csv.reader(io.StringIO(text)))) - 1, "json": lambda text: len(json.loads(text)),
              "jsonl": lambda text: len(text.splitlines()), "csl-json": lambda text: len(json.loads(text))}
    if format_ in counts:
        assert counts[format_](reply.text) == total > 20


def test_papers_that_are_named_go_out_alone(finder):
    ids = [paper["id"] for paper in ask(finder, q="vision", n=2)["results"]]
    reply = requests.get(finder.url + "/api/export", params={"format": "jsonl", "id": ids}, timeout=60)
    assert sorted(json.loads(line)["id"] for line in reply.text.splitlines()) == sorted(ids)
    assert requests.get(finder.url + "/api/export", params={"id": "nothing"}, timeout=60).status_code == 404
    assert requests.get(finder.url + "/api/export", params={"format": "doc"}, timeout=60).status_code == 400


@pytest.mark.parametrize("parameters", [{"n": "-1"}, {"n": "1001"}, {"offset": "x"}, {"mode": "magic"}, {"year": "soon"}, {"weight": "nan"},
                                        {"venue": ["v"] * 101}])
def test_a_wrong_parameter_is_named(finder, parameters):
    assert ask(finder, status=400, **parameters)["detail"]


@pytest.mark.parametrize("query", ["", " ", "\"", "AND OR NOT", "NEAR(a b)", "*", "a* OR b", "title:", "author:\"", "-", "--", "(((", "😀", "\0x", "a" * 1000,
                                   "year:>=2020 year:<=1990", "x' OR 1=1 --", "<script>", "-not -a -thing"])
def test_no_query_is_too_odd(finder, query):
    assert ask(finder, q=query)["total"] >= 0


def test_a_megabyte_is_searched_and_more_is_refused(finder):
    assert requests.post(finder.url + "/api/search", data={"q": "attention " * 100_000}, timeout=120).status_code == 200
    assert requests.post(finder.url + "/api/search", data={"q": "attention " * 900_000}, timeout=120).status_code == 413


def test_without_a_model_meaning_is_said_to_be_missing(finder):
    assert "model" in ask(finder, status=400, q="attention", mode="meaning")["detail"]
    assert ask(finder, q="attention", mode="both")["mode"] == "words"
    assert ask(finder, "/status")["by_meaning"] is False
    assert requests.post(finder.url + "/v1/embeddings", json={"input": "x"}, timeout=60).status_code == 404


def test_the_document_lists_what_there_is(finder):
    assert openapi.described(finder.url) == openapi.listed(finder.url)


def test_schemathesis_finds_nothing(finder, tmp_path):
    openapi.schemathesis(finder.url, tmp_path)


def test_gradios_client_searches_as_it_did_with_the_original(finder):
    client = Client(finder.url, verbose=False)
    table = client.predict("attention", 3, "vaswani", "", api_name="/search")
    assert table["headers"][0] == "Title" and [row[0] for row in table["data"]] == [ATTENTION]
    assert len(client.predict("learning", api_name="/search")["data"]) == 10


def rpc(finder, method: str, **parameters) -> dict:
    reply = requests.post(finder.url + "/mcp", json={"jsonrpc": "2.0", "id": 7, "method": method, "params": parameters}, timeout=60)
    assert reply.status_code == 200 and reply.json()["id"] == 7
    return reply.json()


def test_agents_find_tools(finder):
    assert rpc(finder, "initialize", protocolVersion="2025-06-18")["result"]["protocolVersion"] == "2025-06-18"
    assert [tool["name"] for tool in rpc(finder, "tools/list")["result"]["tools"]] == ["search", "similar", "bibtex"]
    found = rpc(finder, "tools/call", name="search", arguments={"query": "attention is all you need", "n": 1})["result"]
    [paper] = json.loads(found["content"][0]["text"])["results"]
    assert not found["isError"] and paper["title"] == ATTENTION
    entry = rpc(finder, "tools/call", name="bibtex", arguments={"ids": [paper["id"]]})["result"]["content"][0]["text"]
    assert entry.startswith("@") and "Vaswani" in entry
    assert rpc(finder, "tools/call", name="search", arguments={"query": 5})["result"]["isError"]
    assert rpc(finder, "tools/call", name="nothing")["error"]["code"] == -32602
    assert rpc(finder, "no/such")["error"]["code"] == -32601
    assert requests.post(finder.url + "/mcp", json={"jsonrpc": "2.0", "method": "notifications/initialized"}, timeout=60).status_code == 202


def test_with_a_token_reading_stays_open_and_work_does_not(start_finder, index):
    guarded = start_finder(index, env={"ALCOVE_TOKEN": "secret"})
    guarded.wait_until("/readyz", 200)
    assert ask(guarded, q="attention")["total"] > 0
    for path in ("/v1/embeddings", "/mcp", "/gradio_api/queue/join"):
        assert requests.post(guarded.url + path, json={}, timeout=60).status_code == 401


def test_an_index_that_comes_later_is_taken_up(start_finder, run, tmp_path):
    running = start_finder(tmp_path / "data")
    running.wait_until("/readyz", 503)
    assert ask(running, status=503, q="x")["code"] == "no_index"
    one = tmp_path / "one.jsonl"
    for count in (1, 2):
        one.write_text("".join(json.dumps(paper) + "\n" for paper in SAMPLES[:count]))
        assert run("papers", "import", one, "--data", tmp_path / "data").returncode == 0
        deadline = time.monotonic() + 60
        while ask(running, "/status")["papers"] != count:
            assert time.monotonic() < deadline
            time.sleep(0.05)
        assert ask(running)["total"] == count
    assert running.stop() == 0


def test_many_ask_at_once_while_the_index_is_replaced(start_finder, run, tmp_path):
    data, file = tmp_path / "data", tmp_path / "papers.jsonl"
    file.write_text("".join(json.dumps(paper) + "\n" for paper in SAMPLES[:60]))
    assert run("papers", "import", file, "--data", data).returncode == 0
    running = start_finder(data)
    running.wait_until("/readyz", 200)
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        asked = [pool.submit(ask, running, q=word) for word in ["learning", "attention", "graph", "image"] * 50]
        file.write_text("".join(json.dumps(paper) + "\n" for paper in SAMPLES))
        assert run("papers", "import", file, "--data", data).returncode == 0
        assert all(one.result()["total"] >= 0 for one in asked)
    assert running.stop() == 0
