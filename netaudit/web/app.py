"""The WSGI application: each view reads the request, calls one verb, renders one template."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from flask import Flask, abort, render_template, request

from netaudit import workflow
from netaudit.case.case import Case
from netaudit.errors import NetauditError
from netaudit.i18n import LOCALES, translate
from netaudit.store.database import FILE_NAME

LOOPBACK = ("127.0.0.1", "localhost", "[::1]")


def make_app(folder: Path, locale: str) -> Flask:
    """The console over the cases in `folder`.

    Args:
        folder: Where cases lie, in it or one level below.
        locale: The reader's language; ``?lang=`` changes it for one page.
    """
    app = Flask(__name__)
    app.jinja_env.autoescape = True

    @app.before_request
    def only_from_here() -> None:
        # A page elsewhere that re-binds its name to 127.0.0.1 still sends its own Host.
        host = request.host.rsplit(":", 1)[0] if not request.host.endswith("]") else request.host
        if host not in LOOPBACK:
            abort(403)

    @app.after_request
    def inert(response: Any) -> Any:
        response.headers["Content-Security-Policy"] = (
            "default-src 'none'; style-src 'unsafe-inline'; img-src data:;"
            " base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
        )
        response.headers["X-Content-Type-Options"] = "nosniff"
        response.headers["Referrer-Policy"] = "no-referrer"
        response.headers["Cache-Control"] = "no-store"
        return response

    @app.context_processor
    def words() -> dict[str, Any]:
        wanted = request.args.get("lang", locale)
        language = wanted if wanted in LOCALES else locale
        return {"_": lambda message, **values: translate(message, language, **values), "lang": language}

    @app.errorhandler(NetauditError)
    def explain(error: NetauditError) -> tuple[str, int]:
        return render_template("error.html", error=error), 500

    @app.get("/")
    def cases() -> str:
        found, errors = workflow.list_cases(folder)
        return render_template("cases.html", cases=[(p.name, c) for p, c in found], errors=errors)

    @app.get("/case/<name>")
    def case(name: str) -> str:
        return render_template("case.html", name=name, case=_case(folder, name))

    @app.get("/case/<name>/finding/<finding_id>")
    def finding(name: str, finding_id: str) -> str:
        opened = _case(folder, name)
        found = next((f for f in opened.findings if f.id == finding_id), None)
        if found is None:
            abort(404)
        names = {entry.id: entry.name for entry in opened.ledger}
        return render_template("finding.html", name=name, case=opened, finding=found, names=names)

    return app


def _case(folder: Path, name: str) -> Case:
    """A case by the name of its folder: `folder` itself or one right below; nothing else is opened."""
    if Path(name).name == name and name != "..":
        for place in (folder / name, folder.resolve()):
            if place.name == name and (place / FILE_NAME).is_file():
                return workflow.read_case(place)
    return abort(404)
