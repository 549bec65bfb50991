#!/usr/bin/env bash
# @fastify/rate-limit 11.2.0 with `ban`: too many requests become a 403.
#
# Two requests a minute are allowed, one refusal is forgiven. The third request answers 429, the
# fourth 403 with Retry-After and the same X-RateLimit headers. A client that takes 403 for a lack of
# permission gives up, or tells its user to change the token; Retry-After beside it tells the truth.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
npm init -y >/dev/null
npm install --silent --no-fund --no-audit fastify@5.6.0 @fastify/rate-limit@11.2.0
cat >server.mjs <<'NODE'
import fastify from 'fastify';
import limit from '@fastify/rate-limit';

const app = fastify();
await app.register(limit, { max: 2, timeWindow: '1 minute', ban: 1 });
app.get('/', async () => ({}));
const at = await app.listen({ port: 0, host: '127.0.0.1' });
for (let n = 0; n < 4; n += 1) {
  const answer = await fetch(at);
  console.log(answer.status, answer.headers.get('x-ratelimit-remaining'), answer.headers.get('retry-after'));
}
await app.close();
NODE
seen=$(node server.mjs)
echo "status remaining retry-after"
echo "$seen"
[[ $seen == $'200 1 null\n200 0 null\n429 0 60\n403 0 60' ]]
