"""Conditional requests (RFC 9110, section 13): who has the answer already is told so, and not sent it again."""

from hashlib import sha256

from fastapi import Request, Response


def tagged(request: Request, response: Response) -> Response:
    """The response with an ETag of its body; 304 without a body where If-None-Match names it."""
    tag = f'"{sha256(response.body).hexdigest()[:32]}"'
    headers = {"etag": tag, "cache-control": "private, no-cache"}
    known = [one.strip().removeprefix("W/") for one in request.headers.get("if-none-match", "").split(",")]
    if tag in known or known == ["*"]:
        return Response(status_code=304, headers=headers)
    response.headers.update(headers)
    return response
