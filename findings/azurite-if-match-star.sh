#!/usr/bin/env bash
# Azurite 3.35.0, the emulator of Azure's blobs: two conditions of a put.
#
# `If-Match: *` means "only if it exists". A put with it for a blob that does not exist is stored, with
# 201; the standard of HTTP says 412. `If-None-Match: *` on a blob that exists answers 409, so a client
# that takes only 412 for "somebody was first" sees an error. A stale ETag is refused with 412, so a
# probe of the plain condition shows neither.
set -euo pipefail
dir=$(mktemp -d)
trap 'kill -KILL "${server:-}" 2>/dev/null && wait "$server" 2>/dev/null || true; rm -rf "$dir"' EXIT
cd "$dir"
npm init -y >/dev/null
npm install --silent --no-fund --no-audit azurite@3.35.0 @azure/storage-blob@12.32.0
node node_modules/azurite/dist/src/blob/main.js --inMemoryPersistence --disableTelemetry --silent \
    --skipApiVersionCheck >log 2>&1 &
server=$!
for _ in $(seq 100); do curl -s http://127.0.0.1:10000 >/dev/null && break || sleep 0.2; done
cat >put.mjs <<'NODE'
import { BlobServiceClient } from '@azure/storage-blob';
const container = BlobServiceClient.fromConnectionString('UseDevelopmentStorage=true').getContainerClient('state');
await container.createIfNotExists();
const put = async (name, conditions) => {
  try {
    return (await container.getBlockBlobClient(name).upload('x', 1, { conditions }))._response.status;
  } catch (error) {
    return error.statusCode;
  }
};
console.log('absent, If-Match *:', await put('never', { ifMatch: '*' }));
console.log('absent, If-None-Match *:', await put('lock', { ifNoneMatch: '*' }));
console.log('present, If-None-Match *:', await put('lock', { ifNoneMatch: '*' }));
console.log('present, a stale ETag:', await put('lock', { ifMatch: '"0x1"' }));
NODE
seen=$(node put.mjs)
echo "$seen"
[[ $seen == 'absent, If-Match *: 201
absent, If-None-Match *: 201
present, If-None-Match *: 409
present, a stale ETag: 412' ]]
