"""The API with FastAPI and slowapi, served by uvicorn."""

import asyncio
import itertools
import json
import os
import time
from collections import defaultdict
from datetime import datetime, timezone

from fastapi import FastAPI, HTTPException, Request, Response
from fastapi.responses import JSONResponse, StreamingResponse
from slowapi import Limiter, _rate_limit_exceeded_handler
from slowapi.errors import RateLimitExceeded
from slowapi.middleware import SlowAPIMiddleware

PREFIXES = {"services": "svc", "databases": "db", "envgroups": "evg"}
projects = defaultdict(lambda: {kind: {} for kind in PREFIXES})
numbers = itertools.count(1)


def token(request: Request) -> str:
    return request.headers.get("authorization", "nobody")


app = FastAPI()
app.state.limiter = Limiter(
    key_func=token, application_limits=[f"{os.environ['LIMIT']}/minute"], headers_enabled=True
)
app.add_exception_handler(RateLimitExceeded, _rate_limit_exceeded_handler)


@app.middleware("http")
async def who(request: Request, call_next):
    if not token(request).startswith("Bearer sb_live_"):
        return JSONResponse(problem(401, "unauthorized", "the token is not valid"), 401)
    request.state.project = projects[token(request)]
    return await call_next(request)


app.add_middleware(SlowAPIMiddleware)


@app.middleware("http")
async def record(request: Request, call_next):
    body = await request.body()
    response = await call_next(request)
    name = json.loads(body).get("name") if body else None
    line = {"at": int(time.time() * 1000), "token": token(request), "method": request.method,
            "path": request.url.path, "status": response.status_code, "name": name}
    with open(os.environ["RECORD"], "a", encoding="utf-8") as file:
        file.write(json.dumps(line) + "\n")
    return response


def problem(status: int, code: str, message: str):
    return {"error": {"code": code, "message": message, "status": status, "request_id": "req_1"}}


@app.exception_handler(HTTPException)
async def told(_: Request, error: HTTPException):
    return JSONResponse(problem(error.status_code, "not_found", error.detail), error.status_code)


def found(request: Request, kind: str, identifier: str):
    objects = request.state.project[kind]
    if identifier not in objects:
        raise HTTPException(404, f"there is no {identifier}")
    return objects[identifier]


@app.get("/v1/project")
async def project():
    return {"id": "prj_1", "name": "servers"}


def routes(kind: str):
    @app.get(f"/v1/{kind}")
    async def listed(request: Request, page: int = 1, per_page: int = 100):
        everything = list(request.state.project[kind].values())
        part = everything[(page - 1) * per_page : page * per_page]
        return {kind: part, "total": len(everything), "page": page}

    @app.post(f"/v1/{kind}", status_code=201)
    async def create(request: Request):
        status = "available" if kind == "databases" else "running"
        made = {"id": f"{PREFIXES[kind]}_{next(numbers)}", "status": status, **await request.json(),
                "created_at": datetime.now(timezone.utc).isoformat()}
        request.state.project[kind][made["id"]] = made
        return made

    if kind == "envgroups":
        return

    @app.get(f"/v1/{kind}/{{identifier}}")
    async def get(request: Request, identifier: str):
        return found(request, kind, identifier)

    @app.delete(f"/v1/{kind}/{{identifier}}", status_code=204)
    async def remove(request: Request, identifier: str):
        found(request, kind, identifier)
        del request.state.project[kind][identifier]
        return Response(status_code=204)


for every in PREFIXES:
    routes(every)


@app.patch("/v1/services/{identifier}")
async def patch(request: Request, identifier: str):
    service, changes = found(request, "services", identifier), await request.json()
    for variable in changes.pop("env_vars", []):
        others = [old for old in service.get("env_vars", []) if old["key"] != variable["key"]]
        gone = variable.get("value", "") is None
        service["env_vars"] = others if gone else [*others, variable]
    service.update(changes)
    return service


@app.post("/v1/services/{identifier}/deploy", status_code=202)
async def deploy(request: Request, identifier: str):
    found(request, "services", identifier)
    return {"deployment_id": "dep_1", "status": "queued",
            "branch": (await request.json()).get("branch"),
            "created_at": datetime.now(timezone.utc).isoformat()}


@app.get("/v1/services/{identifier}/deployments")
async def deployments():
    return {"deployments": [], "total": 0, "page": 1}


@app.get("/v1/services/{identifier}/logs")
async def logs():
    async def lines():
        yield 'data: {"message":"hello from FastAPI"}\n\n'
        await asyncio.sleep(2)

    return StreamingResponse(lines(), media_type="text/event-stream")
