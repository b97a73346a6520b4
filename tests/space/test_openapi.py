"""The running server keeps to its own /openapi.json, whatever is sent to it."""

import openapi


def test_the_document_lists_what_there_is(server):
    assert openapi.described(server.url) == openapi.listed(server.url)


def test_schemathesis_finds_nothing(server, tmp_path):
    openapi.schemathesis(server.url, tmp_path)
