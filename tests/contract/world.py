"""The world behind the contract: whose tokens there are, what exists in the
demonstration's ledgers, and what each role may do to it at this moment. Asked
of the service itself, as any client could.
"""

import itertools
import json
import os
import re
from datetime import date, timedelta
from random import Random
from uuid import uuid4

import requests
from requests.adapters import HTTPAdapter
from urllib3 import Retry

# One of our own: Hypothesis sets the common one back for every example. Each of
# the runs has its own way, and the same one every time.
CHANCE = Random(os.path.basename(os.environ["LASTRESORT_TEST_ANSWERS"]))
ORG = "/v1/organisations/{org}"
# Seconds: on a busy machine a good answer may take long.
PATIENCE = 120


def _read(name: str) -> dict:
    with open(os.environ[name], encoding="utf-8") as file:
        return json.load(file)


class World:
    def __init__(self) -> None:
        demo, contract = _read("LASTRESORT_TEST_DEMO"), _read("LASTRESORT_TEST_CONTRACT")
        self.base_url, self.client = demo["base_url"], demo["organisations"]["client"]
        self.tokens = demo["tokens"] | {"operator": os.environ["LASTRESORT_TEST_OPERATOR"]}
        self.operations = {
            f"{method.upper()} {path}": operation
            for path, methods in contract["paths"].items()
            for method, operation in methods.items()
        }
        self.session = requests.Session()
        # A connection that idled may be closed just then. Every command has a key, so each can be sent again.
        again = Retry(total=3, allowed_methods=None, backoff_factor=0.2)
        self.session.mount(self.base_url, HTTPAdapter(max_retries=again))
        self.kept: dict = {}
        self.turn = 0
        self.keys = itertools.count()
        # Neither the grants that this very run stands on shall be lost, nor the people who hold them.
        places = [place for role in demo["tokens"] for place in self.me(role)]
        self.ledgers = {(role, place["organisation"]) for role in demo["tokens"] for place in self.me(role)}
        self.protected = {grant["id"] for place in places for grant in place["grants"]} | {place["person"] for place in places}

    # ── Asking ───────────────────────────────────────────────────────────────

    def headers(self, role: str, version: str | None = None) -> dict[str, str]:
        headers = {"Authorization": f"Bearer {self.tokens[role]}", "Idempotency-Key": self.key()}
        return headers | ({"If-Match": version} if version else {})

    def key(self) -> str:
        return f"{os.getpid()}-{next(self.keys)}"

    def get(self, role: str, path: str, **query: object) -> tuple[dict, str | None]:
        """What is answered, and its version; nothing where it is refused."""
        answer = self.session.get(self.base_url + path, params=query, headers=self.headers(role), timeout=PATIENCE)
        return (answer.json(), answer.headers.get("ETag")) if answer.ok else ({}, None)

    def send(self, role: str, resource: str, what: str, body: dict) -> dict:
        """A command to a resource, on the version there is; it has to be done."""
        headers = self.headers(role, self.get(role, resource)[1])
        answer = self.session.post(f"{self.base_url}{resource}/{what}", json=body, headers=headers, timeout=PATIENCE)
        if not answer.ok:
            raise RuntimeError(f"{resource}/{what}: {answer.text}")
        return self.shown(role, resource, what, answer.json()) if answer.status_code == 202 else answer.json()

    def shown(self, role: str, resource: str, what: str, receipt: dict) -> dict:
        """What was done, once it can be read: on a busy machine that may be later."""
        made = resource if resource.endswith(receipt["id"]) else f"{resource}/{what}/{receipt['id']}"
        tries = (self.get(role, made, min_position=receipt["position"])[0] for _ in range(PATIENCE))
        return next(answer for answer in tries if answer)

    def keep(self, key: object, ask, turns: int = 150):
        """What was asked a few requests ago need not be asked again."""
        at, found = self.kept.get(key, (None, None))
        if at is None or self.turn - at > turns:
            at, found = self.kept[key] = self.turn, ask()
        return found

    def me(self, role: str) -> list[dict]:
        return self.keep(("me", role), lambda: self.get(role, "/v1/me")[0].get("organisations", []), 1000)

    def person(self, role: str) -> str:
        """Who holds a token, at the client."""
        return next(place["person"] for place in self.me(role) if place["organisation"] == self.client)

    def roles(self, label: str, org: str | None = None) -> list[str]:
        """Those for whom an operation is, as far as there are tokens; only those an organisation knows, where one is named."""
        named = self.operations[label].get("x-roles", self.tokens)
        return [role for role in named if role in self.tokens and (org is None or (role, org) in self.ledgers)]

    def items(self, org: str, plural: str, role: str | None = None) -> list[dict]:
        """What a list holds, the latest last: all of it, or what is a role's own where it reads no more."""
        path, label = f"/v1/organisations/{org}/{plural}", f"GET {ORG}/{plural}"
        if label not in self.operations:
            return []
        readers = self.roles(label, org)
        own = [role] if role and role not in readers else []

        def ask() -> list[dict]:
            found = (list(self.pages(one, path)) for one in own or readers)
            return next((items for items in found if items), [])

        return self.keep((path, *own), ask)

    def pages(self, role: str, path: str):
        page = self.get(role, path, limit=200)[0]
        yield from page.get("items", [])
        while "next" in page:
            page = self.get(role, path, limit=200, cursor=page["next"])[0]
            yield from page["items"]

    def look(self, org: str, plural: str = "", id: str = "") -> dict:
        """One resource, for somebody who may read it; the organisation itself where none is named."""
        path = f"{plural}/{id}".strip("/")
        pattern = rf"GET {re.escape(ORG)}" + (rf"/{plural}/{{\w+}}" if plural else "")
        label = next(label for label in self.operations if re.fullmatch(pattern, label))
        found = (self.get(role, f"/v1/organisations/{org}/{path}".rstrip("/"))[0] for role in self.roles(label, org))
        return next((answer for answer in found if answer), {})

    def events(self, org: str) -> list[dict]:
        """The latest facts that somebody here may read."""
        path = f"/v1/organisations/{org}/events"
        readers = [role for role in ("inspector", "provider_admin") if (role, org) in self.ledgers]

        def ask() -> list[dict]:
            head = next((page["position"] for role in readers if (page := self.get(role, path, limit=1)[0])), 0)
            found = (self.get(role, path, after=max(head - 50, 0))[0].get("items", []) for role in readers)
            told = ([event for event in items if "type" in event] for items in found)
            return next((events for events in told if events), [])

        return self.keep(("events", org), ask)

    def head(self, org: str) -> int:
        return max((event["position"] for event in self.events(org)), default=0)

    def today(self, days: int = 0) -> str:
        """The day it is in the demonstration."""
        now = max(event["recorded_at"] for event in self.events(self.client))
        return str(date.fromisoformat(now[:10]) + timedelta(days))

    # ── Finding ──────────────────────────────────────────────────────────────

    def place(self, label: str, role: str, fits, tries: int) -> tuple[dict[str, str], str | None, bool]:
        """Path parameters that name something, with its version; and whether
        this role may do this to it now, for which a few things are tried.
        """
        method, path = label.split(" ")
        found: tuple[dict[str, str], str | None] = self.somewhere(label, role), None
        for org in self.orgs(role) if path.startswith(ORG) else []:
            for resource in self.resources(path, org, role, fits, tries):
                answer, version = self.get(role, resource)
                allowed = [action for action in answer.get("allowed_actions", []) if action["allowed"]]
                matched = [matches(path, action["href"]) for action in allowed if action["method"] == method]
                if any(matched):
                    return CHANCE.choice([match for match in matched if match]), version, True
                if answer:
                    found = self.named(path, org, resource, answer), version
        place = found[0] | self.special(path, found[0].get("org", ""))
        return place, found[1], len(place) == path.count("{") and method == "GET"

    def somewhere(self, label: str, role: str) -> dict[str, str]:
        """Path parameters that name something or other, without asking much."""
        path = label.split(" ")[1]
        if label == f"PUT {ORG}":
            return {"org": str(uuid4())}
        if "{operation}" in path:
            return {"operation": self.keep("rebuild", self.rebuild)}
        if not path.startswith(ORG):
            return {}
        org, parts = self.orgs(role)[0], path.removeprefix(ORG).split("/")
        items = self.items(org, parts[1]) if len(parts) > 2 else []
        item = CHANCE.choice(items) if items else {}
        return self.named(path, org, item.get("id", ""), item) if item else {"org": org}

    def rebuild(self) -> str:
        """Long work, begun."""
        path = f"{self.base_url}/v1/organisations/{self.client}/rebuilds"
        return self.session.post(path, headers=self.headers("operator"), timeout=PATIENCE).json()["id"]

    def orgs(self, role: str) -> list[str]:
        orgs = [place["organisation"] for place in self.me(role)] or [self.client]
        return CHANCE.sample(orgs, len(orgs))

    def resources(self, path: str, org: str, role: str, fits, tries: int) -> list[str]:
        """The addresses of a few resources a path could be about: the latest, and some of all."""
        base = f"/v1/organisations/{org}"
        parts = path.removeprefix(ORG).split("/")
        if len(parts) < 3 or not parts[2].startswith("{"):
            return [base]
        items = [item for item in self.items(org, parts[1], role) if fits is None or fits(item)]
        ids = [item["id"] for item in items if item["id"] not in self.protected]
        return [f"{base}/{parts[1]}/{id}" for id in ids[-tries:] + CHANCE.sample(ids, min(tries, len(ids)))]

    def special(self, path: str, org: str) -> dict[str, str]:
        """What is named by other things than its own id."""
        if "/streams/" in path and self.events(org):
            stream = CHANCE.choice(self.events(org))["stream"]
            return {"type": stream["type"], "id": stream["id"]}
        known = [id for person in self.items(org, "persons") for id in person["external_ids"]] if "by-external" in path else []
        return CHANCE.choice(known) if known else {}

    @staticmethod
    def named(path: str, org: str, resource: str, answer: dict) -> dict[str, str]:
        """Path parameters from a resource, what is left filled with what it mentions."""
        names = re.findall(r"{(\w+)}", path)
        own = dict(zip(names, [org, resource.rsplit("/", 1)[-1]], strict=False))
        parts = {name: mentioned(answer, name) for name in names[2:]}
        return own | {name: CHANCE.choice(found) for name, found in parts.items() if found}


def matches(path: str, href: str) -> dict[str, str] | None:
    matched = re.fullmatch(re.sub(r"{(\w+)}", r"(?P<\1>[^/]+)", path), href)
    return matched.groupdict() if matched else None


def mentioned(answer: object, name: str) -> list[str]:
    """Values that stand in an answer under a name, and ids in a list of that name."""
    if isinstance(answer, list):
        return [one for item in answer for one in mentioned(item, name)]
    found = []
    for key, value in answer.items() if isinstance(answer, dict) else ():
        if key == name and isinstance(value, str | int):
            found.append(str(value))
        elif key == f"{name}s" and isinstance(value, list):
            found += [item["id"] for item in value if isinstance(item, dict) and "id" in item]
        found += mentioned(value, name)
    return found
