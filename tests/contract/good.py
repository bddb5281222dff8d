"""A good body for each command that must fit what exists already; what others
take, Schemathesis makes up. Each is given the world and the place it is for.
"""

from world import CHANCE, World


def code() -> str:
    return f"C{CHANCE.randrange(10**9)}"


def curriculum(world: World, place: dict) -> dict:
    return world.look(place["org"], "curricula", place["curriculum"])


def competency(world: World, place: dict) -> dict:
    return {"code": code(), "title": "Listens", "must_pass": True, "criteria": [{"text": "Lets the other finish"}]}


def competency_again(world: World, place: dict) -> dict:
    known = CHANCE.choice(curriculum(world, place)["competencies"])
    return {name: known[name] for name in ("id", "code", "title", "must_pass", "criteria")}


def module(world: World, place: dict) -> dict:
    serves = [competency["id"] for competency in curriculum(world, place)["competencies"]]
    return {
        "code": code(),
        "title": "Listening",
        "strand": "de_escalation",
        "kind": "knowledge",
        "minutes": 45,
        "competencies": serves,
    }


def module_again(world: World, place: dict) -> dict:
    return module(world, place) | {"id": CHANCE.choice(curriculum(world, place)["modules"])["id"]}


def analysis(world: World, place: dict) -> dict:
    return {
        "months_from": "2019-01-01",
        "months_to": "2020-12-31",
        "summary": "Staff hold early.",
        "without_person_identifiers": True,
        "life_support_cover_confirmed": True,
        "commitment_on_file": True,
    }


def programme(world: World, place: dict) -> dict:
    """Resting on what the demonstration's programme rests on."""
    first = world.items(place["org"], "programmes")[0]
    pinned = {name: first["curriculum"][name] for name in ("organisation", "curriculum", "version")}
    return {"title": "Another year", "needs_analysis": first["needs_analysis"], "curriculum": pinned}


def window(world: World, place: dict) -> dict:
    """All stages on one day, this one: so each may be started once the one before is completed."""
    return {"opens_on": world.today(), "closes_on": world.today()}


def deferral(world: World, place: dict) -> dict:
    return {"opens_on": world.today(7), "closes_on": world.today(8), "reason": "The room is taken."}


def policy(world: World, place: dict) -> dict:
    return {"policy": "cohort_max", "value": 12, "effective_on": world.today(1), "source": "A decision of the board."}


def unit(world: World, place: dict) -> str:
    return CHANCE.choice(world.look(place["org"])["units"])["id"]


def employment(world: World, place: dict) -> dict:
    return {"unit": unit(world, place), "job_title": "Care worker", "effective_on": world.today()}


def move(world: World, place: dict) -> dict:
    return {"unit": unit(world, place), "effective_on": world.today()}


def organisation(world: World, place: dict) -> dict:
    login = {"issuer": "https://issuer.example", "subject": code()}
    return {
        "kind": "client",
        "name": "Glen House",
        "jurisdiction": "scotland",
        "time_zone": "Europe/London",
        "administrator": {"given_name": "Una", "family_name": "Reid", "login": login},
    }


def leaving(world: World, place: dict) -> dict:
    return {"effective_on": world.today()}


def standing(world: World, place: dict) -> dict:
    held = world.look(place["org"], "persons", place["person"]).get("standing", {"provider_position": 0})
    return {"standing": "eligible", "provider_position": held["provider_position"] + 1, "valid_until": world.today(300)}


def grant(world: World, place: dict) -> dict:
    people = [person["id"] for person in world.items(place["org"], "persons") if person["kind"] == "human"]
    right = CHANCE.choice([{"role": "staff"}, {"role": "inspector", "to": f"{world.today(30)}T00:00:00Z"}])
    return {"person": CHANCE.choice(people), **right}


# ── Candidates ───────────────────────────────────────────────────────────────


def of(world: World, place: dict) -> tuple[dict, dict]:
    """A candidate, and the programme they are in."""
    candidate = world.look(place["org"], "candidates", place["candidate"])
    return candidate, world.look(place["org"], "programmes", candidate["programme"])


def entered(candidate: dict) -> list[str]:
    return [stage["stage"] for stage in candidate["stages"] if "entered_at" in stage]


def nomination(world: World, place: dict) -> dict:
    running = [one["id"] for one in world.items(place["org"], "programmes") if one["status"] == "running"]
    return {"person": CHANCE.choice(employed(world, place)), "programme": running[-1]}


def employed(world: World, place: dict) -> list[str]:
    """Whoever has been employed here for a while, and holds no token."""
    people = [one for one in world.items(place["org"], "persons") if one["id"] not in world.protected]
    since = world.today(-30)
    return [one["id"] for one in people if any("until" not in job and job["from"] < since for job in one["employments"])]


def assignment(world: World, place: dict) -> dict:
    return {"person": world.person(CHANCE.choice(["mentor", "assessor"])), "from_on": world.today()}


def pre_load(world: World, place: dict) -> dict:
    modules = [module["id"] for module in of(world, place)[1]["modules"] if module["pre_load"]]
    return {"module": CHANCE.choice(modules), "percent": 100}


def attendance(world: World, place: dict) -> dict:
    return {"stage": CHANCE.choice(entered(of(world, place)[0])), "on": world.today(), "minutes": 60}


def allotment(world: World, place: dict) -> dict:
    modules = [module["id"] for module in of(world, place)[1]["modules"] if module["kind"] == "knowledge"]
    return {"modules": modules[:1]}


def observation(world: World, place: dict) -> dict:
    seen = CHANCE.choice(of(world, place)[1]["competencies"])
    results = [{"criterion": criterion["id"], "met": "met"} for criterion in seen["criteria"]]
    return {"competency": seen["id"], "kind": "direct", "results": results, "narrative": "Calm and clear."}


def competency_of(world: World, place: dict) -> str:
    return CHANCE.choice(of(world, place)[1]["competencies"])["id"]


def evidence(world: World, place: dict) -> dict:
    told = {"kind": "document", "title": "A lesson plan", "reference": "urn:lesson-plan:1", "sha256": "0" * 64}
    return told | {"competencies": [competency_of(world, place)]}


def assessment(world: World, place: dict) -> dict:
    return {"competency": competency_of(world, place), "decision": "insufficient_evidence", "reason": "Seen once."}


def required_action(world: World, place: dict) -> dict:
    return {"competency": competency_of(world, place), "what": "Teach it once more."}


# ── Sessions ─────────────────────────────────────────────────────────────────

RESPONSIBILITIES = [
    ("timing", "mentor"),
    ("session_design", "mentor"),
    ("practice_activities", "mentor"),
    ("small_groups", "candidate"),
    ("motivating", "candidate"),
    ("feedback", "candidate"),
    ("assessing_attainment", "candidate"),
]


def session(world: World, place: dict) -> dict:
    return {
        "kind": "workshop",
        "title": "Questions",
        "starts_at": f"{world.today(1)}T09:00:00Z",
        "ends_at": f"{world.today(1)}T12:00:00Z",
        "venue": "The hall",
        "trainers": [{"person": world.person("mentor"), "part": "lead"}],
        "learners_max": 6,
        "physical": False,
    }


def co_delivery(world: World, programme: dict, day: int) -> dict:
    """A day that the mentor and the candidate share."""
    module = next(module["id"] for module in programme["modules"] if module["kind"] == "knowledge")
    planned = {"kind": "co_delivery", "programme": programme["id"], "modules": [{"module": module, "minutes": 60, "assessment_minutes": 10}]}
    times = {"starts_at": f"{world.today(day)}T09:00:00Z", "ends_at": f"{world.today(day)}T12:00:00Z"}
    trainers = [{"person": world.person(part), "part": part} for part in ("mentor", "candidate")]
    return session(world, {}) | planned | times | {"trainers": trainers, "occurred_at": f"{world.today(min(day, 0) - 1)}T09:00:00Z"}


def owners(world: World, place: dict) -> dict:
    return {"owners": [{"responsibility": what, "owner": world.person(who)} for what, who in RESPONSIBILITIES]}


def owner_change(world: World, place: dict) -> dict:
    what = CHANCE.choice(RESPONSIBILITIES[:6])[0]
    return {"responsibility": what, "owner": world.person(CHANCE.choice(["mentor", "candidate"])), "reason": "Hoarse."}


def roster(world: World, place: dict) -> dict:
    return {"learners": employed(world, place)[:3] or [world.person("staff")]}


def lines(world: World, place: dict) -> list[dict]:
    held = world.look(place["org"], "sessions", place["session"])
    return [{"person": person, "module": module["module"]} for person in held["roster"] for module in held["modules"]]


def session_attendance(world: World, place: dict) -> dict:
    return {"attendance": [line | {"minutes": 60} for line in lines(world, place)]}


def trainers(world: World, place: dict) -> dict:
    held = world.look(place["org"], "sessions", place["session"])["trainers"]
    return {"trainers": [{"person": one["person"], "part": one["part"]} for one in held], "reason": "The hall is another."}


def attainment(world: World, place: dict) -> dict:
    return {"attainment": [line | {"result": "attained"} for line in lines(world, place)]}


def correction(world: World, place: dict) -> dict:
    held = world.look(place["org"], "sessions", place["session"])
    told = {"occurred_at": held["completed_at"], "supersedes": held["completion_fact"]} if "completion_fact" in held else {}
    return {"completion": {}, "reason": "Told of another day."} | told


BODIES = {
    "person_state_standing": standing,
    "open_organisation": organisation,
    "curriculum_add_competency": competency,
    "curriculum_revise_competency": competency_again,
    "curriculum_add_module": module,
    "curriculum_revise_module": module_again,
    "needs_analysis_record": analysis,
    "needs_analysis_revise": analysis,
    "programme_plan": programme,
    "programme_schedule_stage": window,
    "programme_defer_stage": deferral,
    "organisation_set_policy": policy,
    "person_start_employment": employment,
    "person_move": move,
    "person_end_employment": leaving,
    "grant_give": grant,
    "candidate_nominate": nomination,
    "candidate_assign_mentor": assignment,
    "candidate_assign_assessor": assignment,
    "candidate_record_pre_load": pre_load,
    "candidate_record_attendance": attendance,
    "candidate_allot_modules": allotment,
    "candidate_observe": observation,
    "candidate_submit_evidence": evidence,
    "candidate_assess": assessment,
    "candidate_demand_action": required_action,
    "candidate_request_remedial": lambda world, place: {"topic": "Law", "rank": 1},
    "candidate_cover_remedial": lambda world, place: {"covered": True},
    "session_plan": session,
    "session_change_trainers": trainers,
    "session_propose_responsibilities": owners,
    "session_agree_responsibilities": owners,
    "session_change_responsibility": owner_change,
    "session_set_roster": roster,
    "session_record_attendance": session_attendance,
    "session_record_attainment": attainment,
    "session_complete": lambda world, place: {},
    "session_correct": correction,
}


def has(status: str):
    return lambda resource: resource["status"] == status


def has_stage(status: str):
    return lambda programme: any(stage["status"] == status for stage in programme["stages"])


def shared(session: dict) -> bool:
    """A day that a mentor and a candidate share."""
    return has("planned")(session) and session["kind"] == "co_delivery"


# Whom an operation is for, where but few will do.
WHOM = {
    "get_curriculum_version": lambda curriculum: curriculum["published"],
    "person_start_employment": lambda person: all("until" in employment for employment in person["employments"]),
    "person_end_employment": lambda person: any("until" not in employment for employment in person["employments"]),
    "person_state_standing": lambda person: "employer" in person,
    "programme_start_stage": has_stage("scheduled"),
    "programme_defer_stage": has_stage("scheduled"),
    "programme_complete_stage": has_stage("started"),
    "candidate_enrol": has("nominated"),
    # Whoever has come furthest is to complete.
    "candidate_withdraw": has("nominated"),
    "candidate_complete": lambda candidate: has("enrolled")(candidate) and len(entered(candidate)) == 6,
    "candidate_request_remedial": lambda candidate: has("enrolled")(candidate) and len(entered(candidate)) < 6,
    "candidate_demand_action": lambda candidate: has("enrolled")(candidate) and len(entered(candidate)) < 6,
    "session_propose_responsibilities": shared,
    "session_agree_responsibilities": shared,
    "session_change_responsibility": shared,
    "session_countersign": shared,
    "session_correct": has("completed"),
    # The shared days are few, and others need them.
    "session_cancel": lambda session: has("planned")(session) and not shared(session),
}


def whom(operation: str):
    """What a command needs of what it is for: most, that it is under way."""
    under_way = {"candidate": has("enrolled"), "session": has("planned")}
    return WHOM.get(operation, under_way.get(operation.split("_")[0]))
