"""How Schemathesis finds its way in the demonstration. Each request is sent by
somebody of the thirteen roles (or the operator): mostly one for whom the
operation is, sometimes anybody. Where the data is meant to be good, it names
things that exist, carries the version that they have and a key of its own;
what is meant to be bad is sent as it was made up.

In the end it is said which operations were never answered with a 2xx.
"""

import atexit
import json
import os
import threading
from collections import Counter
from contextlib import suppress

import schemathesis
from schemathesis.core.parameters import ParameterLocation
from schemathesis.openapi.checks import RejectedPositiveData

from good import BODIES, whom
from prepare import prepare
from world import CHANCE, World

WORLD = World()
prepare(WORLD)
LOCK = threading.RLock()
ANSWERS: dict[str, Counter] = {label: Counter() for label in WORLD.operations}
SENDERS: Counter = Counter(dict.fromkeys(WORLD.tokens, 0))
SOUGHT: Counter = Counter()
ROLE_OF = {f"Bearer {token}": role for role, token in WORLD.tokens.items()}


@schemathesis.auth(cache_by_key=lambda case, context: None, refresh_interval=None)
class Somebody:
    """The token of a role for whom the operation is; of any role, one time in ten."""

    def get(self, case, context) -> str:
        anybody = CHANCE.random() < 0.1
        return WORLD.tokens[CHANCE.choice(list(WORLD.tokens) if anybody else WORLD.roles(case.operation.label))]

    def set(self, case, token, context) -> None:
        case.headers["Authorization"] = f"Bearer {token}"


def is_good(case, location: ParameterLocation) -> bool:
    component = case.meta.components.get(location) if case.meta else None
    return component is None or component.mode.is_positive


@schemathesis.hook
def before_call(context, case, kwargs) -> None:
    label, role = case.operation.label, ROLE_OF.get(case.headers.get("Authorization"))
    if role is None or label not in WORLD.operations or case.method.upper() != label.split(" ")[0]:
        return
    name, version = WORLD.operations[label]["operationId"], None
    good = {location for location in ParameterLocation if is_good(case, location)}
    with LOCK:
        WORLD.turn += 1
        never = not any(200 <= status < 300 for status in ANSWERS[label])
        if ParameterLocation.PATH in good and (never or CHANCE.random() < 0.9):
            place = WORLD.somewhere(label, role)
            if len(good) == len(ParameterLocation):
                place, version = find(case, label, role, whom(name), never)
            case.path_parameters = {**case.path_parameters, **place}
        if ParameterLocation.HEADER in good:
            good_headers(case, version)
        if ParameterLocation.QUERY in good:
            good_query(case)
        if ParameterLocation.BODY in good and name in BODIES and (never or CHANCE.random() < 0.7):
            # In a place that does not exist no body is better than another.
            with suppress(LookupError, StopIteration):
                case.body = BODIES[name](WORLD, case.path_parameters)


def find(case, label: str, role: str, fits, never: bool) -> tuple[dict[str, str], str | None]:
    """Where to do this; what was never done yet is sent by whoever may do it somewhere.
    That is a long search, so one time in three is enough.
    """
    SOUGHT[label] += never
    roles = WORLD.roles(label) if never and SOUGHT[label] % 3 == 1 else []
    for other in CHANCE.sample(roles, len(roles)):
        place, version, sure = WORLD.place(label, other, fits, 4)
        if sure:
            case.headers["Authorization"] = f"Bearer {WORLD.tokens[other]}"
            return place, version
    return WORLD.place(label, role, fits, 1)[:2]


def good_headers(case, version: str | None) -> None:
    if case.method in ("POST", "PUT"):
        case.headers["Idempotency-Key"] = WORLD.key()
    if "If-Match" in case.headers and version:
        case.headers["If-Match"] = version


def good_query(case) -> None:
    """No cursor can be made up, and nobody knows a position that was not given out yet."""
    case.query.pop("cursor", None)
    if "min_position" in case.query:
        case.query["min_position"] = CHANCE.randint(0, WORLD.head(case.path_parameters.get("org", "")))


@schemathesis.hook
def filter_failure(context, failure, case, response) -> bool:
    """A rule may refuse with 422 what no schema can say: a month that ends before
    it begins. What breaks the schema is told as such, and then the contract is wrong.
    """
    if not isinstance(failure, RejectedPositiveData) or response.status_code != 422:
        return True
    return "as the contract describes" in response.json()["detail"]


@schemathesis.hook
def after_call(context, case, response) -> None:
    with LOCK:
        ANSWERS.setdefault(case.operation.label, Counter())[response.status_code] += 1
        SENDERS[ROLE_OF.get(case.headers.get("Authorization"), "nobody")] += 1


@atexit.register
def tell() -> None:
    """What was answered, for scripts/contract to judge."""
    answers = {label: dict(sorted(counts.items())) for label, counts in sorted(ANSWERS.items())}
    with open(os.environ["LASTRESORT_TEST_ANSWERS"], "w", encoding="utf-8") as file:
        json.dump({"answers": answers, "senders": dict(SENDERS.most_common())}, file, indent=1)
