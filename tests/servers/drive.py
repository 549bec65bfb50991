"""Runs Stoker against each server, and prints what came of it. Called by `run`."""

import concurrent.futures
import json
import os
import pathlib
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import traceback

HERE = pathlib.Path(__file__).parent
ROOT = HERE.parent.parent
STOKER = os.environ["STOKER"]
PACED = os.environ["PACED"]
PYTHON = os.environ["SERVERS_PYTHON"]

# In the short form a minute holds less, so that one more minute is enough to see the limit at work.
SHORT = dict(limit=75, rate=70, burst=90, paced=1000, keep_alive=1)
FULL = dict(limit=300, rate=285, burst=400, paced=2000, keep_alive=5)

# A minute's requests may leave at once; a program, a server and this machine need a little besides.
SLACK_S = 3.0

STACK = {
    "web": "type: web\n  runtime: node\n  repo: github.com/acme/web\n  plan: PLAN\n"
    "  envGroups: [shared]\n  envVars:\n    - { key: COLOUR, value: red }\n"
    "    - { key: DATABASE_URL, fromDatabase: { name: main, property: connectionString } }",
    "mailer": "type: worker\n  runtime: node\n  repo: github.com/acme/mailer\n  plan: starter",
}


def port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def wait_for(number):
    end = time.monotonic() + 60
    while time.monotonic() < end:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", number)) == 0:
                return
        time.sleep(0.1)
    raise RuntimeError(f"nobody listens at port {number}")


class Server:
    """One server, perhaps behind another one, and what it wrote down."""

    def __init__(self, name, command, front=None, **environment):
        self.name, self.command, self.front = name, command, front
        self.environment = environment
        self.processes = []

    def set_up(self, sizes):
        self.sizes = sizes
        self.work = pathlib.Path(tempfile.mkdtemp(prefix="servers-"))
        self.record = self.work / "record"
        self.record.touch()
        self.ca_file = None
        self.port = port()
        keep_alive = str(sizes["keep_alive"])
        self.start(
            [word.replace("@PORT@", str(self.port)).replace("@KEEP_ALIVE_S@", keep_alive)
             for word in self.command],
            PORT=str(self.port), LIMIT=str(sizes["limit"]), RECORD=str(self.record),
            # Behind a proxy it is the proxy that closes first.
            KEEP_ALIVE_MS="60000" if self.front else f"{keep_alive}000", **self.environment)
        if self.front:
            self.front(self)

    def start(self, command, **environment):
        log = open(self.work / "log", "ab")
        self.processes.append(subprocess.Popen(
            command, cwd=HERE, stdout=log, stderr=log, env={**os.environ, **environment}))
        wait_for(self.port)

    def put_in_front(self, template, command, over_tls=False):
        self.certify()
        backend, plain, tls = self.port, port(), port()
        words = {"WORK": self.work, "BACKEND": backend, "PORT": plain, "TLS_PORT": tls,
                 "KEEP_ALIVE_S": self.sizes["keep_alive"]}
        text = re.sub("@([A-Z_]+)@", lambda word: str(words[word[1]]),
                      (HERE / template).read_text())
        file = self.work / template
        file.write_text(text)
        self.port = tls if over_tls else plain
        self.ca_file = self.work / "ca.pem" if over_tls else None
        self.start([*command, str(file)])

    def certify(self):
        openssl = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt",
                   "ec_paramgen_curve:P-256", "-nodes", "-days", "2"]
        leaf = ["-addext", "subjectAltName=IP:127.0.0.1", "-addext",
                "basicConstraints=critical,CA:FALSE", "-CA", "ca.pem", "-CAkey", "ca.key"]
        for name, more in [("ca", []), ("server", leaf)]:
            subprocess.run(
                [*openssl, "-subj", f"/CN={name}", "-keyout", f"{name}.key", "-out", f"{name}.pem",
                 *more], cwd=self.work, check=True, capture_output=True)

    def origin(self):
        return f"http{'s' if self.ca_file else ''}://127.0.0.1:{self.port}"

    def stoker(self, *words, token="sb_live_steps", state="steps"):
        certificate = ["--ca-file", str(self.ca_file)] if self.ca_file else []
        environment = {**os.environ, "STACKBLAZE_TOKEN": token,
                       "STACKBLAZE_API_URL": f"{self.origin()}/v1"}
        return subprocess.run(
            [STOKER, *words, "--state", str(self.work / state), *certificate], text=True,
            cwd=self.work, env=environment, capture_output=True, timeout=600, check=False)

    def lines(self, token):
        lines = map(json.loads, self.record.read_text().splitlines())
        return [line for line in lines if line.get("token") == f"Bearer {token}"]

    def stop(self):
        for process in reversed(self.processes):
            process.terminate()
            process.wait()
        shutil.rmtree(self.work, ignore_errors=True)


def write_stack(directory, plan="standard", names=("web", "mailer")):
    directory.mkdir(exist_ok=True)
    for old in directory.iterdir():
        old.unlink()
    kinds = [("Database", "main", "type: postgres\n  plan: standard\n  storageGB: 10"),
             ("EnvGroup", "shared", "envVars: [ { key: LOG_LEVEL, value: info } ]")]
    kinds += [("Service", name, STACK[name].replace("PLAN", plan)) for name in names]
    for kind, name, spec in kinds:
        (directory / f"{name}.yaml").write_text(
            f"apiVersion: stackblaze.cloud/v1\nkind: {kind}\nmetadata: {{ name: {name} }}\n"
            f"spec:\n  {spec}\n")


def made(lines):
    return [line["name"] for line in lines
            if line["method"] == "POST" and line["status"] == 201 and line.get("name")]


def steps(server):
    """Yields for each step what it is and what is wrong with it, if anything."""
    manifests = server.work / "manifests"

    def run(what, expected, *words, says=("", 0), **options):
        done = server.stoker(*words, **options)
        text = done.stdout + done.stderr
        words, times = says if isinstance(says, tuple) else (says, 1)
        is_right = done.returncode == expected and text.count(words) >= times
        return what, None if is_right else f"exit code {done.returncode}\n{text[-1500:]}"

    write_stack(manifests)
    yield run("plan, all new", 2, "plan", "--detailed-exitcode", says="4 to add")
    yield run("apply", 0, "apply", "-y", "--no-wait", says="4 done")
    yield run("plan, all there", 0, "plan", "--detailed-exitcode", says="No changes")
    write_stack(manifests, plan="pro")
    yield run("plan a change", 2, "plan", "--detailed-exitcode", says="standard -> pro")
    yield run("apply it", 0, "apply", "-y", "--no-wait", says="1 done")
    yield run("deploy", 0, "deploy", "service/web", "--no-wait")
    yield run("logs", 0, "logs", "service/web", says="hello from")
    # Each connection ends after two seconds and begins with the same line.
    yield run("a log that breaks off", 6, "logs", "-f", "service/web", "--timeout", "9s",
              says=("hello from", 2))
    yield run("a service that is not there", 1, "describe", "service/none")
    yield run("a wrong token", 3, "plan", token="wrong", state="wrong")
    write_stack(manifests, plan="pro", names=("web",))
    yield run("prune", 0, "apply", "-y", "--no-wait", "--prune=services", says="1 done")
    yield run("plan, all as declared", 0, "plan", "--detailed-exitcode", says="No changes")
    names = made(server.lines("sb_live_steps"))
    yield "each made once", None if len(names) == len(set(names)) == 4 else f"made: {names}"


def burst(server):
    """Creates more than a minute holds. Returns 429s and by how much it was late."""
    sizes, directory = server.sizes, server.work / "burst"
    directory.mkdir()
    documents = (f"apiVersion: stackblaze.cloud/v1\nkind: Service\nmetadata: {{ name: s{number} }}\n"
                 f"spec: {{ type: worker, runtime: node, repo: github.com/acme/s }}\n"
                 for number in range(sizes["burst"]))
    (directory / "all.yaml").write_text("---\n".join(documents))
    begun = time.monotonic()
    done = server.stoker("apply", "-y", "--no-wait", "--rate", f"{sizes['rate']}/m",
                         str(directory), token="sb_live_burst", state="burst")
    took = time.monotonic() - begun
    # A server writes its last line a moment after its last answer.
    end = time.monotonic() + 5
    while len(made(server.lines("sb_live_burst"))) < sizes["burst"] and time.monotonic() < end:
        time.sleep(0.1)
    lines = server.lines("sb_live_burst")
    refused = sum(line["status"] == 429 for line in lines)
    bound = 60 * ((len(lines) - refused - 1) // sizes["rate"]) + SLACK_S
    names = made(lines)
    is_right = done.returncode == 0 and len(names) == len(set(names)) == sizes["burst"]
    wrong = None if is_right else (
        f"exit code {done.returncode}, {len(names)} made, {len(set(names))} names\n"
        + (done.stdout + done.stderr)[-1500:])
    return refused, took - bound, wrong


def paced(server):
    """Returns how many of the creates that cross a close were lost, with how many were sent."""
    limit = server.sizes["keep_alive"] * 1000
    certificate = [str(server.ca_file)] if server.ca_file else []
    done = subprocess.run(
        [PACED, server.origin(), str(server.sizes["paced"]), str(limit), *certificate],
        capture_output=True, text=True, timeout=900, check=True)
    counts = json.loads(done.stdout)
    return counts["lost"], sum(counts.values())


def tried(server, sizes):
    row = dict(steps=[], refused=0, late=0.0, lost=0, sent=0)
    try:
        server.set_up(sizes)
        row["steps"] += steps(server)
        row["refused"], row["late"], wrong = burst(server)
        row["steps"].append(("more than a minute holds", wrong))
        row["lost"], row["sent"] = paced(server)
    except Exception:
        # A server that cannot be tried is no reason to say nothing of the others.
        log = (server.work / "log").read_text()[-1500:]
        row["steps"].append(("the run", f"{traceback.format_exc()}\n{log}"))
    finally:
        server.stop()
    return row


def version(command, pattern=r"[0-9]+(\.[0-9]+)+"):
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return re.search(pattern, done.stdout + done.stderr)[0]


def servers():
    node = json.loads((HERE / "package.json").read_text())["dependencies"]
    python = dict(line.split("==") for line in (HERE / "requirements.txt").read_text().split())
    express, run_express = f"Express {node['express']}", ["node", "express.mjs"]
    limiter = f"express-rate-limit {node['express-rate-limit']}"
    for form in ["legacy", "draft-6", "draft-7", "draft-8"]:
        yield Server(f"{express}, {limiter}, {form}", run_express, HEADERS=form)
    yield Server(f"NestJS {node['@nestjs/core']}, @nestjs/throttler {node['@nestjs/throttler']}",
                 ["node", "nest.mjs"])
    yield Server(
        f"FastAPI {python['fastapi']}, slowapi {python['slowapi']}, uvicorn {python['uvicorn']}",
        [PYTHON, "-m", "uvicorn", "fast:app", "--port", "@PORT@", "--log-level", "warning",
         "--timeout-keep-alive", "@KEEP_ALIVE_S@"])
    yield Server(
        f"Flask {python['Flask']}, Flask-Limiter {python['Flask-Limiter']}, "
        f"gunicorn {python['gunicorn']}",
        [PYTHON, "-m", "gunicorn", "flasked:app", "--bind", "127.0.0.1:@PORT@", "--worker-class",
         "gthread", "--threads", "64", "--keep-alive", "@KEEP_ALIVE_S@", "--log-level", "warning"])
    nginx = f"nginx {version(['nginx', '-v'])}"
    run_nginx = ("nginx.conf", ["nginx", "-c"])
    yield Server(f"{nginx} before {express}", run_express,
                 front=lambda server: server.put_in_front(*run_nginx))
    yield Server(f"{nginx} (HTTP/2, TLS) before {express}", run_express,
                 front=lambda server: server.put_in_front(*run_nginx, over_tls=True))
    yield Server(f"Apache {version(['apache2', '-v'])} before {express}", run_express,
                 front=lambda server: server.put_in_front(
                     "apache.conf", ["apache2", "-D", "FOREGROUND", "-f"]))
    yield Server(f"HAProxy {version(['haproxy', '-v'])} before {express}", run_express,
                 front=lambda server: server.put_in_front("haproxy.cfg", ["haproxy", "-f"]))


def main():
    words = sys.argv[1:]
    sizes = SHORT if "--short" in words else FULL
    wanted = [word.lower() for word in words if word != "--short"]
    tries = [server for server in servers()
             if not wanted or any(word in server.name.lower() for word in wanted)]
    with concurrent.futures.ThreadPoolExecutor(max_workers=16) as pool:
        rows = list(pool.map(lambda server: tried(server, sizes), tries))
    print("| Server | Steps right | 429s | Time over the bound | Ambiguous creates |")
    print("|---|---|---|---|---|")
    failures = []
    for server, row in zip(tries, rows):
        right = sum(wrong is None for _, wrong in row["steps"])
        late = f"{max(row['late'], 0):.1f} s" if row["late"] > 0 else "none"
        print(f"| {server.name} | {right} of {len(row['steps'])} | {row['refused']} | {late} "
              f"| {row['lost']} of {row['sent']} |")
        failures += [f"{server.name}: {what}: {wrong}" for what, wrong in row["steps"] if wrong]
        if row["refused"]:
            failures.append(f"{server.name}: {row['refused']} requests were refused")
        if row["lost"]:
            failures.append(f"{server.name}: {row['lost']} creates were lost")
    for failure in failures:
        print(f"\n{failure}", file=sys.stderr)
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
