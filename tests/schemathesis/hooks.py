"""What schemathesis cannot know of a node: documents that are there, lines of JSON, and rules beside the schema."""

import itertools
import json
import os
import time
import unicodedata
import urllib.request

import schemathesis

WAIT_SECONDS = 60
LINES = "application/x-ndjson"
WORDS = ["title", "company", "label", "custom_instructions"]
# Only bulk uploads are answered without a line, where none was sent.
NO_LINES = {"post": {"line": 1, "data": None, "error": None}}
RESUME = "# Ada Sample\n\n## Experience\n\n**Loom & Sons** | Rust engineer | 2019 - Present\n\n- Writes Rust.\n"
JOB = "Rust engineer\n\nRequirements\n- 3 years of Rust\n"


def ask(path, body=None):
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(os.environ["TANDEM_URL"] + path, data, {"Content-Type": "application/json"})
    with urllib.request.urlopen(request, timeout=30) as answer:
        return json.load(answer)["data"]


def complete(path, body):
    """Makes a resource and waits until it is complete; its id."""
    made = ask(path, body)["id"]
    end = time.monotonic() + WAIT_SECONDS
    while (status := ask(f"{path}/{made}")["status"]) != "complete":
        assert status != "failed" and time.monotonic() < end, f"{path}: {status}"
        time.sleep(0.1)
    return made


def seed():
    resume = complete("/api/v1/resumes", {"text": RESUME})
    job = complete("/api/v1/jobs", {"text": JOB})
    pair = complete("/api/v1/matches", {"resumeId": resume, "jobId": job})
    run = complete("/api/v1/match-runs", {"query": "job", "queries": [job]})
    return {"resumes": resume, "jobs": job, "matches": pair, "match-runs": run}


THERE = seed()
MARKS = itertools.count()


@schemathesis.serializer(LINES)
def lines_out(context, value):
    return b"\n".join(json.dumps(line).encode() for line in (value if isinstance(value, list) else [value]))


@schemathesis.deserializer(LINES)
def lines_in(context, response):
    """The schema is that of one line, so the first one stands for all; there is no schema of no lines."""
    first, *_ = response.content.splitlines() or [None]
    return NO_LINES.get(context.operation.method) if first is None else json.loads(first)


@schemathesis.hook
def filter_case(context, case):
    """Cursors are made by the node, weights sum to 10000, titles have no control characters: no schema says so."""
    if not case.meta.generation.mode.is_positive:
        return True
    body = case.body if isinstance(case.body, dict) else {}
    weights, words = body.get("weights"), (str(body.get(name, "")) for name in WORDS)
    return (
        "cursor" not in (case.query or {})
        and (weights is None or sum(weights.values()) == 10_000)
        and not any(unicodedata.category(char) == "Cc" for word in words for char in word)
    )


@schemathesis.hook
def before_call(context, case, kwargs):
    """A text submitted twice is one document: removed by the first answer, it is gone for the second as well."""
    body = case.body
    if case.meta.generation.mode.is_positive and isinstance(body, dict) and isinstance(body.get("text"), str):
        case.body = {**body, "text": f"{body['text']}\n\n{next(MARKS)}"}


def whole(value):
    """To JSON Schema 3.0 is an integer, to most readers of JSON it is none."""
    if isinstance(value, dict):
        return {name: whole(one) for name, one in value.items()}
    if isinstance(value, list):
        return [whole(one) for one in value]
    return int(value) if isinstance(value, float) and value.is_integer() else value


@schemathesis.hook
def map_case(context, case):
    """Half of what is asked for is there."""
    if not case.meta.generation.mode.is_positive or case.method == "DELETE":
        return case
    kind = case.path.split("/")[3] if case.path.startswith("/api/v1/") else None
    known = THERE.get(kind)
    if known and "id" in (case.path_parameters or {}) and ord(case.path_parameters["id"][-1]) % 2:
        case.path_parameters["id"] = known
    body = case.body = whole(case.body)
    if isinstance(body, dict) and "resumeId" in body and ord(body["resumeId"][-1]) % 2:
        body.update(resumeId=THERE["resumes"], jobId=THERE["jobs"])
    if isinstance(body, dict) and "queries" in body and ord(body["queries"][0][-1]) % 2:
        body["queries"] = [THERE["jobs" if body["query"] == "job" else "resumes"]]
    return case
