"""What takes a long road, gone before Schemathesis begins: a programme that only
has to be completed; one with a candidate who only has to; one that runs, with
a candidate on the way and days of teaching, past and to come.
"""

import good
from world import World

STAGES = ["pre_load", "introductions", "transfer_week", "projects_week", "co_delivery_week", "remedial_workshop"]


class Road:
    """A programme, and the demonstration's candidate in it."""

    def __init__(self, world: World) -> None:
        self.world, self.base = world, f"/v1/organisations/{world.client}"
        self.place = {"org": world.client}
        self.programme = self.say("provider_admin", "", "programmes", good.programme)["id"]
        for stage in STAGES:
            self.say("provider_admin", self.of_programme(), f"stages/{stage}/schedule", good.window)

    def say(self, role: str, resource: str, what: str, body) -> dict:
        body = body(self.world, self.place) if callable(body) else body
        return self.world.send(role, self.base + resource, what, body)

    def of_programme(self) -> str:
        return f"/programmes/{self.programme}"

    def step(self, stage: str, verb: str) -> None:
        self.say("provider_admin", self.of_programme(), f"stages/{stage}/{verb}", {})

    def enrol(self) -> None:
        nominated = {"person": self.world.person("candidate"), "programme": self.programme}
        self.place["candidate"] = self.say("manager", "", "candidates", nominated)["id"]
        self.candidate("provider_admin", "enrolment", {})
        for role, what in (("mentor", "mentor"), ("assessor", "assessors")):
            self.candidate("provider_admin", what, {"person": self.world.person(role), "from_on": self.world.today()})

    def candidate(self, role: str, what: str, body) -> dict:
        return self.say(role, f"/candidates/{self.place['candidate']}", what, body)

    def learn(self, stage: str) -> None:
        """What the gate to the stage after asks."""
        modules = good.of(self.world, self.place)[1]["modules"]
        if stage == "introductions":
            for module in modules:
                if module["pre_load"]:
                    self.candidate("candidate", "pre-load", {"module": module["id"], "percent": 100})
        self.candidate("provider_admin", f"stages/{stage}/entry", {})
        self.candidate("mentor", "attendance", {"stage": stage, "on": self.world.today(), "minutes": 60})
        if stage == "transfer_week":
            allotted = self.candidate("mentor", "allotments", good.allotment)["allotted_modules"]
            self.candidate("assessor", "assessments", lambda *at: good.assessment(*at) | {"module": allotted[0]})

    def share(self, day: int) -> None:
        """A day of co-delivery: agreed upon, where it is to come; of one that is past, who answered for what is told on record, and learners are judged."""
        # Whoever taught on a day that is past was a candidate then: of the demonstration's programme.
        programme = self.programme if day > 0 else self.world.items(self.world.client, "programmes")[0]["id"]
        programme = self.world.look(self.world.client, "programmes", programme)
        planned = self.say("provider_admin", "", "sessions", lambda world, _: good.co_delivery(world, programme, day))
        self.place["session"] = planned["id"]
        path = f"/sessions/{planned['id']}"
        if day > 0:
            self.say("mentor", path, "responsibilities", good.owners)
            if day % 2 == 0:
                self.say("candidate", path, "agreements", good.owners)
        else:
            for owner in good.owners(self.world, self.place)["owners"]:
                self.say("mentor", path, "responsibility-changes", owner | {"reason": "Told afterwards."})
            self.say("mentor", path, "roster", good.roster)
            self.say("mentor", path, "attendance", good.session_attendance)
            self.say("candidate", path, "attainment", good.attainment)


def prepare(world: World) -> None:
    completed, nearly, running = Road(world), Road(world), Road(world)
    nearly.enrol()
    for stage in STAGES:
        completed.step(stage, "start")
        completed.step(stage, "completion")
        nearly.step(stage, "start")
        nearly.learn(stage)
        if stage != STAGES[-1]:
            nearly.step(stage, "completion")
    running.step("pre_load", "start")
    running.enrol()
    for person in good.employed(world, running.place)[-2:]:
        running.say("manager", "", "candidates", {"person": person, "programme": running.programme})
    running.candidate("candidate", "remedial-requests", {"topic": "Law", "rank": 1})
    running.candidate("assessor", "required-actions", good.required_action)
    for day in (-8, -6, -4, 2, 3, 4, 5):
        running.share(day)
    running.say("mentor", f"/sessions/{running.place['session']}", "roster", good.roster)
