"""
Steers schemathesis: half of the well-formed requests name rows that exist, those of the caller and those of another
person. Each answer is written to a file, and one that shows or changes a row of the other person is a failure.
"""

import json
import os
import threading
import zlib

import schemathesis

with open(os.environ["FUZZ_PLAN"], encoding="utf-8") as file:
    PLAN = json.load(file)
LOCK = threading.Lock()
ANSWERS = open(PLAN["answers"], "a", encoding="utf-8")


def is_well_formed(case):
    generation = getattr(case.meta, "generation", None)
    return getattr(getattr(generation, "mode", None), "name", None) == "POSITIVE"


def ids_of(path):
    """The longest prefix of the path decides whose ids `{id}` can have."""
    known = [prefix for prefix in PLAN["ids"] if path.startswith(prefix)]
    return PLAN["ids"][max(known, key=len)] if known else None


@schemathesis.serializer("application/secevent+jwt", "message/rfc822")
def as_bytes(context, value):
    """Signed events and mails, which no library writes: any text."""
    return {"data": value if isinstance(value, bytes) else str(value).encode("utf-8", "replace")}


NOBODY = "00000000-0000-4000-8000-000000000000"


def spare_accounts(case, ids):
    """What ends an account must not end the caller's, whose id schemathesis takes from earlier answers."""
    name = f"{case.method} {case.path}"
    for parameter, value in list((case.path_parameters or {}).items()):
        known = ids.get(parameter, {})
        if name in PLAN["onlyTheirs"] and value == known.get("own"):
            case.path_parameters[parameter] = known["theirs"]
        if name in PLAN["nobodys"] and value in known.values():
            case.path_parameters[parameter] = NOBODY


@schemathesis.hook
def before_call(context, case, kwargs):
    spare_accounts(case, ids_of(case.path) or {})
    if not is_well_formed(case):
        return
    draw = zlib.crc32(repr((case.path_parameters, case.query, case.body)).encode("utf-8", "surrogatepass"))
    ids = ids_of(case.path)
    name = f"{case.method} {case.path}"
    if ids and case.path_parameters and draw % 4 < 2 and name not in PLAN["nobodys"]:
        for parameter in case.path_parameters:
            if parameter not in ids:
                continue
            whose = "theirs" if draw % 4 == 0 or name in PLAN["onlyTheirs"] else "own"
            case.path_parameters[parameter] = ids[parameter][whose]
    for place in (case.query, case.body):
        if isinstance(place, dict) and "accountId" in place and draw % 4 < 2:
            place["accountId"] = PLAN["accounts"]["theirs" if draw % 4 == 0 else "own"]
    if isinstance(case.body, dict):
        if "packageCode" in case.body and draw % 2 == 0:
            case.body["packageCode"] = PLAN["packageCode"]
        # Events are sent to this address: a name that never resolves (RFC 6761).
        if isinstance(case.body.get("url"), str):
            case.body["url"] = "https://receiver.invalid/"


@schemathesis.hook
def after_call(context, case, response):
    answer = {"operation": case.operation.label, "status": response.status_code}
    with LOCK:
        ANSWERS.write(json.dumps(answer) + "\n")
        ANSWERS.flush()


@schemathesis.hook
def filter_failure(context, failure, case, response):
    """Node refuses headers that are too large before a route is known; the document says so once, for all."""
    return not (response.status_code == 431 and not response.content)


@schemathesis.check
def nothing_of_others(context, response, case):
    """Object-level authorization: the other person's rows are neither shown nor changed."""
    if not PLAN["isOtherPerson"]:
        return
    # An answer may be an image.
    text = response.content.decode("utf-8", "replace")
    shown = [name for name, secret in PLAN["secrets"].items() if secret in text]
    assert not shown, f"the answer shows another person's {', '.join(shown)}"
    sent = {str(value) for value in (case.path_parameters or {}).values()}
    if sent & set(PLAN["theirIds"]):
        assert response.status_code >= 400, f"another person's row answers {response.status_code}"
