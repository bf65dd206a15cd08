"""Where the token is given, beyond loopback."""

from fastapi import APIRouter, Request
from starlette.responses import RedirectResponse, Response

from judge.web.access import same
from judge.web.guard import SESSION
from judge.web.problems import Refusal
from judge.web.service import Here, Sent, page, set_cookie

router = APIRouter(include_in_schema=False)


@router.get("/login")
def login(request: Request) -> Response:
    """Ask for the token."""
    return page(request, "login.html.j2")


@router.post("/login")
def log_in(here: Here, form: Sent) -> Response:
    """Take the token, and let the visitor in."""
    if here.access.token is not None and not same(form.get("token", "").strip(), here.access.token):
        raise Refusal(
            401, "that is not the token; judge serve printed it, or it is in the file that --token-file names"
        )
    response = RedirectResponse("/", status_code=303)
    set_cookie(response, SESSION, here.access.session)
    return response
