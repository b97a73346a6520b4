"""Who may: the one-time link, sessions, roles, tokens of scanners; and what a stranger tries."""

import re
import sqlite3
from concurrent.futures import ThreadPoolExecutor

import pytest
import requests
from gateway.kit import Gateway, sheet

PASSWORD = "a long enough one"


def setup_word(gateway: Gateway) -> str:
    [line] = [line for line in gateway.lines() if line["event"] == "no_accounts_yet"]
    return re.search(r"#setup/([0-9a-f]{64})$", line["link"])[1]


class Person:
    """Somebody with a browser: keeps cookies, sends the session's word along."""

    def __init__(self, gateway: Gateway):
        self.url, self.http, self.csrf = gateway.url, requests.Session(), ""

    def call(self, method: str, path: str, **rest) -> requests.Response:
        return self.http.request(method, self.url + path, headers={"X-Csrf-Token": self.csrf}, timeout=60, **rest)

    def sign_in(self, name: str, password: str = PASSWORD) -> requests.Response:
        reply = self.call("POST", "/session", json={"name": name, "password": password})
        self.csrf = reply.json().get("csrf", "")
        return reply


@pytest.fixture
def gateway(start_gateway, space) -> Gateway:
    return start_gateway(space_url=space.url)


@pytest.fixture
def administrator(gateway) -> Person:
    one = Person(gateway)
    reply = one.call("POST", "/session/setup", json={"setup": setup_word(gateway), "name": "Ada", "password": PASSWORD})
    assert reply.status_code == 200, reply.text
    one.csrf = reply.json()["csrf"]
    return one


def hand_in(url: str, number: int, **headers: str) -> int:
    return requests.post(url + "/scan-upload", files={"file": ("a.pdf", sheet(number))}, headers=headers, timeout=60).status_code


def test_until_the_link_is_used_the_gateway_stands_as_the_contract_says(gateway):
    assert hand_in(gateway.url, 1) == 200
    session = requests.get(gateway.url + "/session", timeout=60).json()
    assert session == {"accounts": False, "name": None, "role": None, "csrf": None}
    for word, password in (("0" * 64, PASSWORD), (setup_word(gateway), "short")):
        reply = requests.post(gateway.url + "/session/setup", json={"setup": word, "name": "Eve", "password": password}, timeout=60)
        assert reply.status_code == 400 and reply.json()["detail"]
    assert hand_in(gateway.url, 2) == 200


def test_the_link_works_once_and_then_everybody_signs_in(gateway, administrator):
    again = requests.post(gateway.url + "/session/setup", json={"setup": setup_word(gateway), "name": "Eve", "password": PASSWORD}, timeout=60)
    assert again.status_code == 400 and again.json()["code"] == "no_setup"
    assert hand_in(gateway.url, 3) == 401
    assert requests.get(gateway.url + "/review", timeout=60).status_code == 401
    assert requests.get(gateway.url + "/health", timeout=60).status_code == 200, "probes stay open"
    assert administrator.call("GET", "/review").status_code == 200
    [cookie] = administrator.http.cookies
    reply = administrator.sign_in("Ada")
    words = reply.headers["Set-Cookie"]
    assert "HttpOnly" in words and "SameSite=Strict" in words and "Secure" not in words
    behind = requests.post(gateway.url + "/session", json={"name": "Ada", "password": PASSWORD}, headers={"X-Forwarded-Proto": "https"}, timeout=60)
    assert "Secure" in behind.headers["Set-Cookie"]
    stored = (gateway.data / "lists.sqlite").read_bytes() + (gateway.data / "lists.sqlite-wal").read_bytes()
    assert PASSWORD.encode() not in stored and cookie.value.encode() not in stored and b"$argon2id$" in stored


def test_sessions_that_are_forged_expired_or_replayed_do_not_count(gateway, administrator):
    cookie = administrator.http.cookies["alcove_session"]
    for forged in ("0" * 64, cookie[:-1] + ("0" if cookie[-1] != "0" else "1"), "", "x"):
        assert requests.get(gateway.url + "/review", cookies={"alcove_session": forged}, timeout=60).status_code == 401
    assert administrator.call("DELETE", "/session").status_code == 200
    replayed = requests.get(gateway.url + "/review", cookies={"alcove_session": cookie}, timeout=60)
    assert replayed.status_code == 401 and "ended" in replayed.json()["detail"]
    administrator.sign_in("Ada")
    with sqlite3.connect(gateway.data / "lists.sqlite") as database:
        database.execute("UPDATE sessions SET expires_at = 1")

    def ended() -> bool:
        return administrator.call("GET", "/review").status_code == 401
    from gateway.test_roster import wait_for
    wait_for(ended)


def test_a_page_elsewhere_cannot_act_for_somebody_who_is_signed_in(gateway, administrator):
    foreign = administrator.http.post(gateway.url + "/roster", data=b"register_number,name\n7001,A\n", timeout=60)
    assert foreign.status_code == 403 and foreign.json()["code"] == "csrf"
    assert administrator.call("POST", "/roster", data=b"register_number,name\n7001,A\n").status_code == 200


def test_roles_and_the_last_administrator(gateway, administrator):
    for name, role in (("Vera", "viewer"), ("Stan", "staff")):
        made = administrator.call("POST", "/accounts", json={"name": name, "role": role, "password": PASSWORD})
        assert made.status_code == 200, made.text
    assert administrator.call("POST", "/accounts", json={"name": "Vera", "role": "staff", "password": PASSWORD}).status_code == 400
    viewer, staff = Person(gateway), Person(gateway)
    assert viewer.sign_in("Vera").json()["role"] == "viewer" and staff.sign_in("Stan").status_code == 200
    roster = {"data": b"register_number,name\n7001,A\n"}
    assert viewer.call("GET", "/review").status_code == 200 and viewer.call("POST", "/roster", **roster).status_code == 403
    assert staff.call("POST", "/roster", **roster).status_code == 200 and staff.call("GET", "/accounts").status_code == 403
    assert administrator.call("DELETE", "/accounts/Ada").json()["code"] == "last_administrator"
    assert administrator.call("DELETE", "/accounts/Stan").status_code == 200
    assert staff.call("GET", "/review").status_code == 401, "the session went with the account"


def test_somebody_comes_in_by_a_link_and_rests_for_a_while(gateway, administrator, run):
    """No administrator ever knows another's password."""
    made = administrator.call("POST", "/accounts", json={"name": "Vera", "role": "viewer"})
    assert {"name": "Vera", "role": "viewer", "active": True, "has_password": False} in made.json()["accounts"]
    vera = Person(gateway)
    assert vera.sign_in("Vera", "").status_code == 401, "not without a password"

    def word() -> str:
        given = administrator.call("POST", "/accounts/Vera/link")
        assert given.status_code == 200 and given.json()["hours"] == 72, given.text
        return given.json()["link"].removeprefix("/#password/")

    first, second = word(), word()
    for bad, password, code in ((first, PASSWORD, "no_link"), ("0" * 64, PASSWORD, "no_link"), (second, "short", "short_password")):
        refused = vera.call("POST", "/session/password", json={"word": bad, "password": password})
        assert refused.status_code == 400 and refused.json()["code"] == code, "a new link ends the one before"
    came = vera.call("POST", "/session/password", json={"word": second, "password": PASSWORD})
    assert came.status_code == 200 and came.json()["role"] == "viewer" and vera.call("GET", "/review").status_code == 200
    assert vera.call("POST", "/session/password", json={"word": second, "password": PASSWORD}).json()["code"] == "no_link", "once"

    vera.csrf = came.json()["csrf"]
    roster = {"data": b"register_number,name\n7001,A\n"}
    assert vera.call("POST", "/roster", **roster).status_code == 403
    assert administrator.call("PUT", "/accounts/Vera", json={"role": "staff"}).status_code == 200
    assert vera.call("POST", "/roster", **roster).status_code == 200, "at once"
    resting = {"word": word(), "password": PASSWORD}
    assert administrator.call("PUT", "/accounts/Vera", json={"active": False}).status_code == 200
    assert vera.call("GET", "/review").status_code == 401 and vera.sign_in("Vera").status_code == 401
    assert vera.call("POST", "/session/password", json=resting).json()["code"] == "no_link"
    assert administrator.call("PUT", "/accounts/Vera", json={"active": True}).status_code == 200
    assert vera.call("POST", "/session/password", json=resting).status_code == 200, "nobody was let in by it before"
    assert vera.sign_in("Vera").status_code == 200

    for change in ({"role": "viewer"}, {"active": False}):
        assert administrator.call("PUT", "/accounts/Ada", json=change).json()["code"] == "last_administrator", change
    administrator.call("POST", "/accounts", json={"name": "Ben", "role": "administrator"})
    assert administrator.call("DELETE", "/accounts/Ada").json()["code"] == "last_administrator", "an account without a password helps nobody"
    for body, status in (({}, 400), ({"role": "king"}, 400), ({"active": 1}, 400)):
        assert administrator.call("PUT", "/accounts/Vera", json=body).status_code == status
    assert administrator.call("PUT", "/accounts/Nobody", json={"active": True}).status_code == 404
    assert administrator.call("POST", "/accounts/Nobody/link").status_code == 404

    late = word()
    with sqlite3.connect(gateway.data / "lists.sqlite") as database:
        database.execute("UPDATE links SET expires_at = 1")
    assert vera.call("POST", "/session/password", json={"word": late, "password": PASSWORD}).json()["code"] == "no_link"
    # Whoever has the machine has a way back in.
    printed = run("gateway", "account", "Ada", "--link", "--data", gateway.data).stdout.strip()
    again = Person(gateway).call("POST", "/session/password", json={"word": printed.removeprefix("/#password/"), "password": "another long one"})
    assert again.status_code == 200 and Person(gateway).sign_in("Ada", "another long one").status_code == 200
    assert administrator.call("GET", "/review").status_code == 401, "sessions from before end"


def test_wrong_passwords_lock_the_name_for_a_while(gateway, administrator):
    stranger = Person(gateway)
    said = [stranger.sign_in("Ada", "wrong password").status_code for _ in range(6)]
    assert said == [401] * 5 + [429]
    locked = stranger.sign_in("Ada", PASSWORD)
    assert locked.status_code == 429 and locked.json()["code"] == "locked_out" and int(locked.headers["Retry-After"]) > 0
    nobody = stranger.sign_in("Nobody", PASSWORD)
    assert nobody.status_code == 401 and nobody.json()["detail"] == "name or password is wrong"
    assert administrator.call("GET", "/review").status_code == 200, "who is in stays in"


def test_a_scanner_has_a_token_for_its_work_alone(gateway, administrator, run):
    made = run("gateway", "token", "scanner in room 4", "--data", gateway.data)
    assert made.returncode == 0, made.stderr
    bearer = {"Authorization": f"Bearer {made.stdout.strip()}"}
    assert hand_in(gateway.url, 5, **bearer) == 200
    for path in ("/records", "/review", "/accounts"):
        assert requests.get(gateway.url + path, headers=bearer, timeout=60).status_code == 403
    assert hand_in(gateway.url, 6, Authorization="Bearer " + "0" * 64) == 401
    assert "scanner in room 4" in run("gateway", "token", "--data", gateway.data).stdout
    assert run("gateway", "token", "scanner in room 4", "--remove", "--data", gateway.data).returncode == 0
    from gateway.test_roster import wait_for
    wait_for(lambda: hand_in(gateway.url, 7, **bearer) == 401)


def test_the_token_of_the_environment_keeps_every_right(start_gateway, space):
    gateway = start_gateway(space_url=space.url, ALCOVE_TOKEN="secret-of-the-office")
    assert hand_in(gateway.url, 8) == 401
    bearer = {"Authorization": "Bearer secret-of-the-office"}
    assert hand_in(gateway.url, 8, **bearer) == 200
    assert requests.get(gateway.url + "/accounts", headers=bearer, timeout=60).status_code == 200


def test_nobody_comes_in_unnamed_where_that_is_wanted(start_gateway, space):
    gateway = start_gateway("--require-account", space_url=space.url)
    assert hand_in(gateway.url, 9) == 401
    assert requests.get(gateway.url + "/session", timeout=60).json()["accounts"] is True


def test_a_flood_of_guesses_is_turned_away_and_who_is_in_stays_in(gateway, administrator):
    with ThreadPoolExecutor(24) as strangers:
        said = list(strangers.map(lambda number: Person(gateway).sign_in(f"guess {number}", "wrong password").status_code, range(96)))
    assert set(said) <= {401, 429} and 429 in said
    assert administrator.call("GET", "/review").status_code == 200
