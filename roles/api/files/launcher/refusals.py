"""Answers to what the guard of the database refuses, and to what is no token: upstream would answer 500."""

from typing import Any

import psycopg


def find(error: BaseException | None) -> psycopg.Error | None:
    """Return the guard's refusal that led to ``error``, if one did; upstream wraps some of them in errors of its own.

    The guard's refusals have SQLSTATE ``PV`` and the HTTP status to answer with.
    """
    while error is not None:
        if isinstance(error, psycopg.Error) and (error.sqlstate or "").startswith("PV"):
            return error
        error = error.__cause__ or error.__context__
    return None


def answer(refusal: psycopg.Error) -> tuple[dict[str, object], int]:
    """Return body and status of the answer, shaped like upstream's own errors."""
    status = int((refusal.sqlstate or "PV403")[2:])
    return {"message": refusal.diag.message_primary, "status_code": status}, status


def register(app: Any) -> None:
    """Let the Flask ``app`` answer so."""
    from flask import jsonify
    from geovisio.errors import InternalError
    from joserfc.errors import JoseError

    def refused(error: psycopg.Error) -> Any:
        refusal = find(error)
        if refusal is None:
            raise error
        return answer(refusal)

    def failed(error: Any) -> Any:
        refusal = find(error)
        return answer(refusal) if refusal else (error.to_dict(), error.status_code)

    def not_a_token(_error: Any) -> Any:
        # Upstream answers so to a wrong signature alone; to anything else that is no token of ours, 500 with a trace.
        return jsonify({"message": "Token not valid", "status_code": 401}), 401

    app.register_error_handler(JoseError, not_a_token)
    app.register_error_handler(psycopg.Error, refused)
    app.register_error_handler(InternalError, failed)
