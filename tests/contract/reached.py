"""Whether every operation of the contract was done at least once, and by whom."""

import json
import sys

with open(sys.argv[1], encoding="utf-8") as file:
    told = json.load(file)

never = {
    label: counts
    for label, counts in told["answers"].items()
    if not any(status.startswith("2") for status in counts)
}
print("requests by role:", ", ".join(f"{role} {count}" for role, count in told["senders"].items()))
for label, counts in never.items():
    print(f"never done: {label}, answered with {counts}")
print(f"{len(told['answers']) - len(never)} passed, {len(never)} failed")
sys.exit(bool(never))
