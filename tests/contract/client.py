"""A client in Python, as somebody else would write it: generated from the
contract and used against a running service.

    client.py DEMO.JSON, with the generated package on PYTHONPATH
"""

import json
import sys
import unittest
from http import HTTPStatus
from uuid import UUID, uuid4

from lastresort_client import AuthenticatedClient
from lastresort_client.api.events import list_events
from lastresort_client.api.me import get_me
from lastresort_client.api.persons import list_persons, person_register, person_state_profile
from lastresort_client.models import (
    PersonKind,
    PersonShownAnswer,
    Problem,
    ProfileBody,
    RegisterBody,
    Role,
    WithheldEvent,
)

with open(sys.argv.pop(1), encoding="utf-8") as file:
    DEMO = json.load(file)
ORG = UUID(DEMO["organisations"]["client"])
NEWCOMER = RegisterBody(kind=PersonKind.HUMAN, profile=ProfileBody(given_name="Petra", family_name="Hython"))


class Client(unittest.TestCase):
    def acting(self, role: str) -> AuthenticatedClient:
        client = AuthenticatedClient(base_url=DEMO["base_url"], token=DEMO["tokens"][role])
        self.addCleanup(client.get_httpx_client().close)
        return client

    def test_who_am_i(self) -> None:
        me = get_me.sync(client=self.acting("manager"))
        here = next(membership for membership in me.organisations if membership.organisation == ORG)
        self.assertIn(Role.MANAGER, [grant.role for grant in here.grants])

    def test_persons_come_page_by_page_each_once(self) -> None:
        manager, seen, more = self.acting("manager"), [], {}
        while more is not None:
            page = list_persons.sync(ORG, client=manager, limit=60, **more)
            self.assertLessEqual(len(page.items), 60)
            seen += [person.id for person in page.items]
            more = {"cursor": page.next_} if page.next_ else None
        self.assertGreater(len(seen), 60)
        self.assertEqual(len(set(seen)), len(seen))

    def test_a_write_with_a_key_is_done_once_and_a_change_needs_the_version_seen(self) -> None:
        manager, key = self.acting("manager"), str(uuid4())
        first = person_register.sync_detailed(ORG, client=manager, body=NEWCOMER, idempotency_key=key)
        again = person_register.sync_detailed(ORG, client=manager, body=NEWCOMER, idempotency_key=key)
        self.assertEqual(first.status_code, HTTPStatus.CREATED)
        self.assertEqual(again.headers["Idempotent-Replayed"], "true")
        self.assertIsInstance(first.parsed, PersonShownAnswer)
        self.assertEqual(again.parsed.id, first.parsed.id)

        name = ProfileBody(given_name="Petra", family_name="Hython-Snake")
        change = person_state_profile.sync_detailed(
            ORG, first.parsed.id, client=manager, body=name, if_match=first.headers["ETag"]
        )
        self.assertEqual(change.status_code, HTTPStatus.OK)
        self.assertEqual(change.parsed.family_name, "Hython-Snake")
        self.assertEqual(change.parsed.version, first.parsed.version + 1)

    def test_a_refusal_is_a_problem_with_a_type(self) -> None:
        manager = self.acting("manager")
        person = person_register.sync(ORG, client=manager, body=NEWCOMER)
        refused = person_state_profile.sync_detailed(
            ORG, person.id, client=manager, body=NEWCOMER.profile, if_match='"9999"'
        )
        self.assertEqual(refused.status_code, HTTPStatus.PRECONDITION_FAILED)
        self.assertIsInstance(refused.parsed, Problem)
        self.assertEqual(refused.parsed.code, "version_stale")
        self.assertEqual(refused.parsed.version, person.version)

    def test_the_feed_has_every_position_in_order(self) -> None:
        inspector, position = self.acting("inspector"), 0
        for _ in range(3):
            for event in list_events.sync(ORG, client=inspector, after=position, limit=10).items:
                position += 1
                self.assertEqual(event.position, position)
                self.assertEqual(type(event).__name__, f"{event.type_}Event")
        self.assertGreater(position, 10)

    def test_what_is_not_ours_to_read_is_its_position_and_that_alone(self) -> None:
        events = list_events.sync(ORG, client=self.acting("hr_system"), limit=200).items
        self.assertEqual([event.position for event in events], list(range(1, 201)))
        withheld = [event for event in events if isinstance(event, WithheldEvent)]
        self.assertTrue(0 < len(withheld) < 200)
        self.assertTrue(all(event.to_dict() == {"position": event.position} for event in withheld))


if __name__ == "__main__":
    unittest.main()
