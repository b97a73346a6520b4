"""What the office's pages ask: the queue, one sheet, an answer and its undoing, an exam as a whole."""

import io
import random

import pytest
import requests
from gateway.kit import number_of, sheet
from PIL import Image, ImageDraw

LISTED = [f"7000000000{i:02}" for i in range(20)]


def picture(number: int) -> bytes:
    """A page that opens, and is like no other."""
    image = Image.new("RGB", (600, 800), "white")
    ImageDraw.Draw(image).text((60, 60), f"sheet {number} {random.Random(number).random()}", fill="black")
    out = io.BytesIO()
    image.save(out, "PNG")
    return out.getvalue()


class Office:
    """A gateway with a class list and some sheets of people who are not on it."""

    def __init__(self, gateway, **headers: str):
        self.gateway, self.url, self.http = gateway, gateway.url, requests.Session()
        self.http.headers.update(headers)

    def get(self, path: str, **query) -> dict:
        reply = self.http.get(self.url + path, params=query, timeout=60)
        assert reply.status_code == 200, reply.text
        return reply.json()

    def post(self, path: str, **body) -> requests.Response:
        return self.http.post(self.url + path, json=body, timeout=60)

    def take_in(self, numbers=LISTED, subject: str = "CS101") -> dict:
        text = "register_number,name,subject_code\n" + "".join(f"{number},Name {i},{subject}\n" for i, number in enumerate(numbers))
        reply = self.http.post(self.url + "/roster?name=class.csv", data=text.encode(), timeout=60)
        assert reply.status_code == 200, reply.text
        return reply.json()

    def hand_in(self, *contents: bytes) -> list[str]:
        uuids = []
        for index, content in enumerate(contents):
            reply = self.http.post(self.url + "/scan-upload", files={"file": (f"scan-{index}.png", content)}, timeout=60).json()
            uuids.append(reply["artifact_uuid"])
            self.gateway.judged(reply["artifact_uuid"])
        return uuids

    def until(self, uuid: str, **wanted) -> dict:
        def look():
            record = self.get(f"/records/{uuid}")
            return record if all(record[key] == value for key, value in wanted.items()) else None
        return wait_for(look)


def wait_for(look, seconds: float = 60):
    import time
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if found := look():
            return found
        time.sleep(0.05)
    raise AssertionError("it did not come")


@pytest.fixture
def office(start_gateway, space, database) -> Office:
    office = Office(start_gateway(space_url=space.url, **database))
    assert office.take_in()["entries"] == len(LISTED)
    return office


def test_a_doubtful_sheet_is_shown_answered_and_given_back(office):
    content = picture(1)
    [uuid] = office.hand_in(content)
    [item] = office.get("/review")["items"]
    assert item["artifact_uuid"] == uuid and "not_in_roster" in item["reasons"] and item["held_by"] is None
    shown = office.get(f"/review/{uuid}")
    assert shown["version"] == 0 and len(shown["roster_candidates"]) == 5 and shown["register_number"] == number_of(content)
    assert all(each["taken_by"] is None for each in shown["roster_candidates"])
    page = office.http.get(f"{office.url}/records/{uuid}/page", timeout=60)
    assert page.headers["Content-Type"] == "image/jpeg" and Image.open(io.BytesIO(page.content)).size == (600, 800)
    assert page.headers["Cache-Control"] == "no-store"

    first = office.post(f"/review/{uuid}", verdict="belongs", register_number=LISTED[3], version=0)
    assert first.status_code == 200, first.text
    record = office.until(uuid, decision="accepted")
    assert record["register_number"] == LISTED[3] and record["renamed_filename"] == f"{LISTED[3]}_CS101_CIA1.pdf"
    assert record["workflow_status"] == "pending" and office.get("/review")["items"] == []

    late = office.post(f"/review/{uuid}", verdict="belongs", register_number=LISTED[4], version=0)
    assert late.status_code == 409 and late.json()["code"] == "answered_meanwhile"
    assert office.get(f"/records/{uuid}")["register_number"] == LISTED[3], "the first answer stands"
    undone = office.post(f"/review/{uuid}", verdict="withdrawn", version=first.json()["version"])
    assert undone.status_code == 200
    record = office.until(uuid, decision="review")
    assert record["register_number"] == number_of(content) and "not_in_roster" in record["reasons"]
    for verdict, status in (("blank", "blank"), ("unlisted", "unlisted"), ("duplicate", "duplicate")):
        version = office.get(f"/review/{uuid}")["version"]
        assert office.post(f"/review/{uuid}", verdict=verdict, version=version).status_code == 200
        record = office.until(uuid, workflow_status=status)
        assert record["decision"] == "accepted" and f"marked_{verdict}" in record["reasons"] and record["renamed_filename"] is None


def test_wrong_answers_are_refused_with_a_sentence(office):
    [uuid] = office.hand_in(picture(2))
    for body, status in (({"verdict": "maybe"}, 400), ({}, 400), ({"verdict": "belongs", "register_number": "7000/é"}, 400),
                         ({"verdict": "belongs", "register_number": ""}, 400)):
        reply = office.post(f"/review/{uuid}", **body)
        assert reply.status_code == status and reply.json()["detail"], reply.text
    assert office.post("/review/no-such-sheet", verdict="blank").status_code == 404
    assert office.http.post(f"{office.url}/review/{uuid}", data="{", timeout=60).status_code == 422
    assert office.get("/review")["waiting"] == 1


def test_two_reviewers_keep_out_of_each_others_way(office):
    [uuid] = office.hand_in(picture(3))
    assert office.post(f"/review/{uuid}/hold", reviewer="anna").status_code == 200
    assert office.post(f"/review/{uuid}/hold", reviewer="anna").status_code == 200, "her own, once more"
    refused = office.post(f"/review/{uuid}/hold", reviewer="ben")
    assert refused.status_code == 409 and refused.json()["code"] == "held"
    record = office.until(uuid, decision="review")
    assert record["error_code"] is None, record
    assert office.get("/review", reviewer="ben")["items"][0]["held_by"] and office.get("/review", reviewer="anna")["items"][0]["held_by"] is None
    assert office.post(f"/review/{uuid}/hold", reviewer="a b").status_code == 400


def test_a_name_given_to_two_sheets_stays_with_the_earlier_answer(office):
    one, two = office.hand_in(picture(4), picture(5))
    for uuid in (one, two):
        assert office.post(f"/review/{uuid}", verdict="belongs", register_number=LISTED[7], version=0).status_code == 200
    office.until(one, decision="accepted")
    clash = wait_for(lambda: record if "already_taken" in (record := office.get(f"/records/{two}"))["reasons"] else None)
    assert clash["decision"] == "review" and clash["duplicate_of"] == one
    taken = {each["register_number"]: each["taken_by"] for each in office.get(f"/review/{two}")["roster_candidates"]}
    assert taken.get(LISTED[7], one) == one


def test_an_exam_says_who_is_there_and_who_is_not(office):
    there, doubtful = office.hand_in(picture(6), picture(7))
    office.post(f"/review/{there}", verdict="belongs", register_number=LISTED[0], version=0)
    office.until(there, decision="accepted")
    [counted] = office.get("/exams")["exams"]
    assert counted == {"exam_type": "CIA1", "subject_code": "CS101", "attempt_number": 1, "papers": 2, "accepted": 1, "review": 1, "rejected": 0}
    exam = office.get("/exam", exam_type="CIA1", subject_code="CS101")
    papers = {paper["artifact_uuid"]: paper for paper in exam["papers"]}
    assert papers[there]["name"] == "Name 0" and papers[doubtful]["decision"] == "review"
    assert exam["absent_in_all"] == 19 and exam["absent"][0] == {"register_number": LISTED[1], "name": "Name 1"}
    assert [pair["artifact_uuid"] for pair in exam["pairs"]] == [doubtful]
    assert office.get("/people", q="name 1")["people"][0] == {"register_number": LISTED[1], "name": "Name 1"}
    assert office.get("/people", q=LISTED[2][-4:])["people"][0]["name"] == "Name 2"


def test_a_list_comes_with_its_findings_and_a_preview_keeps_nothing(office):
    text = "\ufeffregister_number,name\n7000000001,A\n=7000000002,B\n7000000001,C\n"
    seen = office.http.post(office.url + "/roster?preview=1", data=text.encode(), timeout=60).json()
    assert seen["version"] is None and seen["entries"] == 1 and seen["left_out"] == 2
    assert {finding["line"] for finding in seen["findings"] if finding["left_out"]} == {3, 4}
    assert office.get("/people", q="Name 3")["people"], "the list before is still there"
    assert office.http.post(office.url + "/roster", data=b"PK\x03\x04" + bytes(100), timeout=60).status_code == 422


def test_more_papers_than_names(office):
    """Everybody's paper, and six more: nothing is lost, and what has no name waits for a person."""
    office.take_in([number_of(picture(number)) for number in range(20, 24)])
    uuids = office.hand_in(*(picture(number) for number in range(20, 30)))
    for uuid in uuids[:4]:
        office.until(uuid, decision="accepted")
    exam = office.get("/exam", exam_type="CIA1", subject_code="CS101")
    assert len(exam["papers"]) == 10 and exam["absent_in_all"] == 0
    assert {item["artifact_uuid"] for item in office.get("/review")["items"]} == set(uuids[4:])


@pytest.mark.parametrize(("encoding", "name"), [("utf-8-sig", "Müller, Анна"), ("utf-16", "Müller, Анна"), ("cp1252", "Müller, Zoë")])
def test_lists_of_any_encoding_and_with_marks_of_writing_direction(start_gateway, space, encoding, name):
    office = Office(start_gateway(space_url=space.url))
    mark = "" if encoding == "cp1252" else "\u200f\u202b"
    text = f'register_number,name\r\n{mark}7000000001{mark},"{mark}{name}"\r\n7000000001,"{name}"\r\n'
    kept = office.http.post(office.url + "/roster", data=text.encode(encoding), timeout=60)
    assert kept.status_code == 200 and kept.json()["entries"] == 1, kept.text
    assert office.get("/people", q="7000000001")["people"] == [{"register_number": "7000000001", "name": name}]


def test_a_list_of_a_hundred_thousand_lines(start_gateway, space):
    office = Office(start_gateway(space_url=space.url))
    text = "register_number,name,subject_code\n" + "".join(f"{700_000_000_000 + i},Name {i},CS101\n" for i in range(100_000))
    kept = office.http.post(office.url + "/roster", data=text.encode(), timeout=300)
    assert kept.status_code == 200 and kept.json()["entries"] == 100_000, kept.text[:300]
    [uuid] = office.hand_in(picture(50))
    assert office.get("/people", q="Name 99999")["people"][0]["register_number"] == "700000099999"
    exam = office.get("/exam", exam_type="CIA1", subject_code="CS101")
    assert exam["absent_in_all"] >= 99_999 and len(exam["absent"]) == 2000 and exam["papers"][0]["artifact_uuid"] == uuid
