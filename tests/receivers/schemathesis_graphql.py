"""What Schemathesis asks of each GraphQL answer, beside its own checks: an error is one of those that the manual lists, and
never one of the service's own.

Schemathesis takes any error with a path for the server's fault, so its checks of errors cannot be used: a random id is
NOT_FOUND, and so it should be.
"""

import json
from pathlib import Path

import schemathesis

# As a client may handle them; INTERNAL and UNAVAILABLE are left out on purpose.
CODES = {
    "BAD_USER_INPUT", "CONFLICT", "FORBIDDEN", "GRAPHQL_PARSE_FAILED", "GRAPHQL_VALIDATION_FAILED", "HELD", "NOT_FOUND",
    "PLAN_REQUIRED", "QUERY_TOO_COMPLEX",
}


@schemathesis.check
def errors_are_typed(ctx, response, case):
    """Each error has a code of the manual, and bad input names its field and its rule."""
    answer = json.loads(response.content)
    assert response.status_code in (200, 400), f"status {response.status_code}"
    assert "data" in answer or answer.get("errors"), "neither data nor errors"
    for error in answer.get("errors", []):
        extensions = error.get("extensions", {})
        assert extensions.get("code") in CODES, error
        if extensions["code"] == "BAD_USER_INPUT":
            assert extensions.get("field") and extensions.get("rule"), f"no field or rule: {error}"
