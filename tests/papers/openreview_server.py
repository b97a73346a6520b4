"""A stand-in for OpenReview's API v2 and v1, good enough for openreview-py, with the ways it is known to misbehave.

    server = OpenReviewServer(notes); server.url; server.trouble = "429"; server.close()
"""

from __future__ import annotations

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

VENUE = "Made.cc/2025/Conference"
CHALLENGE = {"name": "ChallengeRequiredError", "message": "Challenge verification required", "status": 403,
             "details": {"challengeUrl": "https://openreview.net/challenge?redirect=x"}}
RATE_LIMIT = {"name": "RateLimitError", "status": 429, "details": {"limit": 36, "remaining": 0},
              "message": "Too many requests: You have made 37 requests. Please try again in 60 minutes and 13 seconds (2026-08-31-1)"}


def note(number: int, **content: object) -> dict:
    """A note of API v2; content given as None is left out."""
    fields: dict[str, object] = {
        "title": f"Paper {number} on {'graphs' if number % 2 else 'diffusion'}", "abstract": f"Text of paper {number}.",
        "authors": [f"Ann Author{number}", "Bo Both"], "authorids": [f"~Ann_Author{number}1", "bo@both.org"], "keywords": ["k1", "k2"],
        "venue": "Made 2025 poster", "venueid": VENUE, "pdf": f"/pdf/{number:040x}.pdf"} | content
    return {"id": f"note{number:05}", "forum": f"note{number:05}", "number": number, "domain": VENUE, "invitations": [f"{VENUE}/-/Submission"],
            "signatures": [f"{VENUE}/Submission{number}/Authors"], "readers": ["everyone"], "writers": [VENUE],
            "cdate": 1746000000000, "tcdate": 1746000000000, "mdate": 1760000000000, "tmdate": 1760000000000 + number,
            "content": {name: {"value": value} for name, value in fields.items() if value is not None}}


def odd_notes(first: int) -> list[dict]:
    """The shapes that real venues have beside the plain one."""
    unified = note(first, authors=[{"fullname": "Uma Unified", "username": "~Uma_Unified1", "institutions": []}], authorids=None)
    hidden = note(first + 1)
    hidden["content"]["authors"] = {"readers": [VENUE]}
    return [unified, hidden, note(first + 2, abstract=None), note(first + 3, pdf="https://example.org/x.pdf"),
            note(first + 4) | {"ddate": 1760000000000}]


class OpenReviewServer:
    def __init__(self, notes: list[dict]):
        self.notes = sorted(notes, key=lambda each: each["id"])
        self.trouble = ""          # what goes wrong, see Handler.trouble()
        self.trouble_after = 0     # after so many good replies
        self.requests: list[str] = []
        self.logins = 0
        outer = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                outer.requests.append("POST " + self.path)
                outer.logins += 1
                if outer.trouble == "mfa":
                    return self.reply(200, {"mfaPending": True, "mfaPendingToken": "t", "mfaMethods": ["totp"], "preferredMethod": "totp"})
                if body.get("password") != "secret":
                    return self.reply(400, {"name": "Error", "message": "Invalid username or password", "status": 400})
                self.reply(200, {"token": TOKEN, "user": {"id": body["id"], "profile": {"id": "~Me_Me1"}}})

            def do_GET(self) -> None:
                outer.requests.append("GET " + self.path)
                parts = urlsplit(self.path)
                query = {name: values[0] for name, values in parse_qs(parts.query).items()}
                if len(outer.requests) > outer.trouble_after and self.in_trouble():
                    return None
                if parts.path == "/groups":
                    if query.get("id") != VENUE:
                        return self.reply(404, {"name": "NotFoundError", "message": f"Group Not Found: {query.get('id')}", "status": 404, "details": {}})
                    return self.reply(200, {"groups": [GROUP], "count": 1})
                if parts.path != "/notes":
                    return self.reply(404, {"name": "NotFoundError", "message": "no such path", "status": 404})
                found = [each for each in outer.notes if query.get("content.venueid") in (None, each["content"]["venueid"]["value"])
                         and query.get("invitation") in (None, *each["invitations"])]
                start = next((i for i, each in enumerate(found) if each["id"] > query["after"]), len(found)) if "after" in query else int(query.get("offset", 0))
                page = found[start:start + int(query.get("limit", 1000))]
                self.reply(200, {"notes": page} | ({"count": len(found)} if query.get("count") == "true" else {}))

            def in_trouble(self) -> bool:
                """Whether the reply was a bad one. Troubles named with "once" pass."""
                trouble = outer.trouble
                if trouble.endswith("once"):
                    outer.trouble = ""
                match trouble.split()[0] if trouble else "":
                    case "challenge":
                        if "Authorization" in self.headers:
                            return False
                        self.reply(403, CHALLENGE)
                    case "429":
                        self.reply(429, RATE_LIMIT, {} if "once" not in trouble else {"Retry-After": "1"})
                    case "500":
                        self.reply(500, {"name": "Error", "message": "broken", "status": 500})
                    case "html":
                        self.send(200, b"<html><body>Just a moment</body></html>", "text/html")
                    case "half":
                        self.send(200, b'{"notes":[{"id":"note00001","content":{"ti', "application/json")
                    case "cut":
                        self.send_response(200)
                        self.send_header("Content-Length", "1000")
                        self.end_headers()
                        self.wfile.write(b'{"notes":[')
                        self.close_connection = True
                    case _:
                        return False
                return True

            def reply(self, status: int, body: object, headers: dict[str, str] | None = None) -> None:
                self.send(status, json.dumps(body).encode(), "application/json", headers)

            def send(self, status: int, body: bytes, kind: str, headers: dict[str, str] | None = None) -> None:
                self.send_response(status)
                for name, value in ({"Content-Type": kind, "Content-Length": str(len(body))} | (headers or {})).items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: object) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def close(self) -> None:
        self.server.shutdown()
        self.server.server_close()


# A JSON Web Token that expires in 2100; openreview-py reads it, nobody checks its signature.
TOKEN = "eyJhbGciOiJIUzI1NiJ9.eyJ1c2VyIjp7ImlkIjoibWVAeC5vcmcifSwiZXhwIjo0MTAyNDQ0ODAwfQ.c2lnbmF0dXJl"
GROUP = {"id": VENUE, "domain": VENUE, "members": [], "readers": ["everyone"], "writers": [VENUE], "signatures": [VENUE], "signatories": [VENUE],
         "content": {"submission_id": {"value": f"{VENUE}/-/Submission"}, "subtitle": {"value": "Made 2025"}}}
