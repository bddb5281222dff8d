"""Whether every operation of the contract was done at least once, in one run or
the next, and everybody had their say. The first run's file comes first; what was
never done stands on standard output, for a next run.

    reached.py ANSWERS.JSON…
"""

import json
import sys
from collections import Counter

answers: dict[str, Counter] = {}
senders: Counter = Counter()
for name in sys.argv[1:]:
    with open(name, encoding="utf-8") as file:
        told = json.load(file)
    senders.update(told["senders"])
    for label, counts in told["answers"].items():
        answers.setdefault(label, Counter()).update(counts)

never = {label: counts for label, counts in answers.items() if not any(status.startswith("2") for status in counts)}
silent = [role for role, count in senders.items() if count == 0]
if silent:
    sys.exit(f"nobody ever spoke as {', '.join(silent)}")
print("requests by role:", ", ".join(f"{role} {count}" for role, count in senders.most_common()), file=sys.stderr)
for label, counts in never.items():
    print(f"not done: {label}, answered with {dict(counts)}", file=sys.stderr)
    print(label)
print(f"{len(answers) - len(never)} passed, {len(never)} failed", file=sys.stderr)
