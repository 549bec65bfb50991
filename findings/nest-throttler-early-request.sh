#!/usr/bin/env bash
# @nestjs/throttler 6.7.1: one request too early blocks for a whole window.
#
# Three requests in six seconds are allowed. The third answer says X-RateLimit-Reset: 3: a slot opens
# in three seconds. A request before that is refused with Retry-After: 6, a whole window from the
# refusal on, and what comes meanwhile is refused though the slots have opened. Refusals carry no
# X-RateLimit-* header at all, so a client that counts by Remaining learns nothing from them.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
npm init -y >/dev/null
npm install --silent --no-fund --no-audit @nestjs/common@11.1.6 @nestjs/core@11.1.6 @nestjs/platform-express@11.1.6 @nestjs/throttler@6.7.1 reflect-metadata@0.2.2 rxjs@7.8.2
cat >server.cjs <<'NODE'
require('reflect-metadata');
const { Module, Controller, Get } = require('@nestjs/common');
const { NestFactory, APP_GUARD } = require('@nestjs/core');
const { ThrottlerModule, ThrottlerGuard } = require('@nestjs/throttler');

class Things { list() { return {}; } }
Reflect.decorate([Get()], Things.prototype, 'list', Object.getOwnPropertyDescriptor(Things.prototype, 'list'));
Reflect.decorate([Controller()], Things);
class App {}
Reflect.decorate([Module({
  imports: [ThrottlerModule.forRoot([{ ttl: 6000, limit: 3 }])],
  controllers: [Things],
  providers: [{ provide: APP_GUARD, useClass: ThrottlerGuard }],
})], App);

(async () => {
  const app = await NestFactory.create(App, { logger: false });
  await app.listen(0, '127.0.0.1');
  const began = Date.now();
  for (const at of [0, 2000, 4000, 4200, 6400]) {
    await new Promise((done) => setTimeout(done, Math.max(0, at - (Date.now() - began))));
    const answer = await fetch(await app.getUrl());
    const named = ['x-ratelimit-remaining', 'x-ratelimit-reset', 'retry-after'];
    console.log(at, answer.status, ...named.map((name) => answer.headers.get(name)));
  }
  process.exit();
})();
NODE
seen=$(node server.cjs)
echo "at status remaining reset retry-after"
echo "$seen"
[[ $seen == *$'4000 200 0 3 null\n4200 429 null null 6\n6400 429 null null 4' ]]
