"""What the Python drivers share: requests and answers as lines of JSON, and
values that say their type."""

import base64
import json
import sys


class Point:
    """An object of a class of its own, which can only be stored pickled."""

    def __init__(self, x, y):
        self.x, self.y = x, y


# What get answers when there is no value.
MISS = object()

# How long clients wait for servers, in seconds: longer than they do by default,
# because the machine may be busy with other tests.
PATIENCE = 15


def unpack(tagged):
    """Returns the value that Go describes."""
    kind, value = tagged["type"], tagged.get("value")
    if kind == "bytes":
        return base64.b64decode(value)
    if kind == "int":
        return int(value)
    if kind == "list":
        return [unpack(v) for v in value]
    if kind == "map":
        return {k: unpack(v) for k, v in value.items()}
    if kind == "object":
        return Point(*value)
    if kind == "json":
        return json.dumps(value)
    return value  # text, float, bool, null


def pack(value):
    """Describes a value to Go; a miss is null."""
    if value is MISS:
        return None
    if value is None:
        return {"type": "null"}
    for python, kind, convert in (
        (str, "text", str),
        (bytes, "bytes", lambda b: base64.b64encode(b).decode()),
        (bool, "bool", bool),
        (int, "int", str),
        (float, "float", float),
        (list, "list", lambda items: [pack(v) for v in items]),
        (dict, "map", lambda items: {k: pack(v) for k, v in items.items()}),
        (Point, "object", lambda p: [p.x, p.y]),
    ):
        if isinstance(value, python):
            return {"type": kind, "value": convert(value)}
    raise TypeError(f"no name for a {type(value).__name__}")


class Driver:
    """Answers requests by calling the method that each names."""

    def get_json(self, key):
        """Reads text as JSON, as a program that shares it would."""
        value = self.client.get(key)
        return {"type": "json", "value": json.loads(value)}

    def serve(self):
        """Answers the requests on standard input until it ends."""
        for line in sys.stdin:
            request = json.loads(line)
            method = getattr(self, request.pop("op"))
            try:
                answer = {"result": method(**request)}
            except Exception as error:  # every failure is an answer
                answer = {"error": f"{type(error).__name__}: {error}"}
            print(json.dumps(answer), flush=True)
