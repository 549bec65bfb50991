// The API with Express and express-rate-limit; HEADERS says in which form the limit is told.
import express from 'express';
import { rateLimit } from 'express-rate-limit';
import { problem, projectOf, record } from './store.mjs';

const FORMS = {
  legacy: { legacyHeaders: true, standardHeaders: false },
  'draft-6': { legacyHeaders: false, standardHeaders: 'draft-6' },
  'draft-7': { legacyHeaders: false, standardHeaders: 'draft-7' },
  'draft-8': { legacyHeaders: false, standardHeaders: 'draft-8' },
};

const app = express();
app.use((request, response, next) => {
  const { method, path } = request;
  response.on('finish', () =>
    record(request.headers.authorization, method, path, response.statusCode, request.body?.name));
  next();
});
app.use(rateLimit({
  windowMs: 60_000,
  limit: Number(process.env.LIMIT),
  keyGenerator: (request) => request.headers.authorization ?? 'nobody',
  ...FORMS[process.env.HEADERS ?? 'legacy'],
}));
app.use(express.json());
app.use((request, response, next) => {
  request.project = projectOf(request.headers.authorization);
  if (request.project) next();
  else response.status(401).json(problem(401, 'unauthorized', 'the token is not valid'));
});

const api = express.Router();
api.get('/project', (_, response) => response.json({ id: 'prj_1', name: 'servers' }));
for (const kind of ['services', 'databases', 'envgroups']) {
  api.get(`/${kind}`, ({ project, query }, response) =>
    response.json(project.list(kind, Number(query.page ?? 1), Number(query.per_page ?? 100))));
  api.post(`/${kind}`, ({ project, body }, response) =>
    response.status(201).json(project.create(kind, body)));
}
api.param('id', (request, response, next, id) => {
  request.kind = request.path.split('/')[1];
  request.object = request.project.find(request.kind, id);
  if (request.object) next();
  else response.status(404).json(problem(404, 'not_found', `there is no ${id}`));
});
api.get(['/services/:id', '/databases/:id'], ({ object }, response) => response.json(object));
api.patch('/services/:id', ({ project, object, body }, response) =>
  response.json(project.patch(object, body)));
api.delete(['/services/:id', '/databases/:id'], ({ project, kind, object }, response) => {
  project.remove(kind, object);
  response.status(204).end();
});
api.post('/services/:id/deploy', ({ body }, response) => response.status(202).json({
  deployment_id: 'dep_1', status: 'queued', branch: body.branch, created_at: new Date().toISOString(),
}));
api.get('/services/:id/deployments', (_, response) =>
  response.json({ deployments: [], total: 0, page: 1 }));
api.get('/services/:id/logs', (_, response) => {
  response.set('Content-Type', 'text/event-stream').flushHeaders();
  response.write('data: {"message":"hello from Express"}\n\n');
  setTimeout(() => response.end(), 2_000);
});
app.use('/v1', api);

const server = app.listen(Number(process.env.PORT), '127.0.0.1');
server.keepAliveTimeout = Number(process.env.KEEP_ALIVE_MS);
