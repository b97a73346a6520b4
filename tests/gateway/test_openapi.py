"""The running gateway keeps to its own /openapi.json, whatever is sent to it."""

import openapi
from gateway.test_review import LISTED, Office, picture


def test_the_document_lists_what_there_is(start_gateway, space):
    gateway = start_gateway(space_url=space.url)
    assert openapi.described(gateway.url) == openapi.listed(gateway.url)


def test_schemathesis_finds_nothing(start_gateway, space, tmp_path):
    """By somebody with every right."""
    gateway = start_gateway(space_url=space.url, ALCOVE_TOKEN="every-right")
    office = Office(gateway, Authorization="Bearer every-right")
    office.take_in(LISTED)
    for number in range(3):
        office.http.post(office.url + "/scan-upload", files={"file": ("a.png", picture(number))}, timeout=60)
    openapi.schemathesis(gateway.url, tmp_path, "--header", "Authorization: Bearer every-right")
