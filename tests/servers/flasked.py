"""The API with Flask and Flask-Limiter, served by gunicorn."""

import itertools
import json
import os
import time
from collections import defaultdict
from datetime import datetime, timezone

from flask import Flask, Response, abort, g, jsonify, request
from flask_limiter import Limiter
from werkzeug.exceptions import HTTPException

PREFIXES = {"services": "svc", "databases": "db", "envgroups": "evg"}
projects = defaultdict(lambda: {kind: {} for kind in PREFIXES})
numbers = itertools.count(1)


def token():
    return request.headers.get("authorization", "nobody")


app = Flask(__name__)


@app.after_request
def record(response):
    body = request.get_json(silent=True) or {}
    line = {"at": int(time.time() * 1000), "token": token(), "method": request.method,
            "path": request.path, "status": response.status_code, "name": body.get("name")}
    with open(os.environ["RECORD"], "a", encoding="utf-8") as file:
        file.write(json.dumps(line) + "\n")
    return response


Limiter(token, app=app, application_limits=[f"{os.environ['LIMIT']}/minute"],
        headers_enabled=True, storage_uri="memory://")


@app.before_request
def who():
    if not token().startswith("Bearer sb_live_"):
        abort(401, "the token is not valid")
    g.project = projects[token()]


@app.errorhandler(HTTPException)
def told(error):
    code = {401: "unauthorized", 404: "not_found", 429: "too_many_requests"}.get(error.code, "failed")
    problem = {"code": code, "message": error.description, "status": error.code,
               "request_id": "req_1"}
    return jsonify(error=problem), error.code


def now():
    return datetime.now(timezone.utc).isoformat()


def found(kind, identifier):
    return g.project[kind].get(identifier) or abort(404, f"there is no {identifier}")


@app.get("/v1/project")
def project():
    return {"id": "prj_1", "name": "servers"}


@app.get("/v1/<any(services, databases, envgroups):kind>")
def listed(kind):
    everything = list(g.project[kind].values())
    page, size = (request.args.get(*word, type=int) for word in [("page", 1), ("per_page", 100)])
    part = everything[(page - 1) * size : page * size]
    return {kind: part, "total": len(everything), "page": page}


@app.post("/v1/<any(services, databases, envgroups):kind>")
def create(kind):
    status = "available" if kind == "databases" else "running"
    made = {"id": f"{PREFIXES[kind]}_{next(numbers)}", "status": status, **request.get_json(),
            "created_at": now()}
    g.project[kind][made["id"]] = made
    return made, 201


@app.get("/v1/<any(services, databases):kind>/<identifier>")
def get(kind, identifier):
    return found(kind, identifier)


@app.delete("/v1/<any(services, databases):kind>/<identifier>")
def remove(kind, identifier):
    found(kind, identifier)
    del g.project[kind][identifier]
    return "", 204


@app.patch("/v1/services/<identifier>")
def patch(identifier):
    service, changes = found("services", identifier), request.get_json()
    for variable in changes.pop("env_vars", []):
        others = [old for old in service.get("env_vars", []) if old["key"] != variable["key"]]
        gone = variable.get("value", "") is None
        service["env_vars"] = others if gone else [*others, variable]
    service.update(changes)
    return service


@app.post("/v1/services/<identifier>/deploy")
def deploy(identifier):
    found("services", identifier)
    return {"deployment_id": "dep_1", "status": "queued", "branch": request.get_json().get("branch"),
            "created_at": now()}, 202


@app.get("/v1/services/<identifier>/deployments")
def deployments(identifier):
    found("services", identifier)
    return {"deployments": [], "total": 0, "page": 1}


@app.get("/v1/services/<identifier>/logs")
def logs(identifier):
    found("services", identifier)

    def lines():
        yield 'data: {"message":"hello from Flask"}\n\n'
        time.sleep(2)

    return Response(lines(), mimetype="text/event-stream")
