// The API with NestJS and its throttler.
import 'reflect-metadata';
import {
  Body, Controller, Delete, Get, HttpCode, HttpException, Module, Param, Patch, Post, Query, Req,
  Sse,
} from '@nestjs/common';
import type { CanActivate, ExecutionContext } from '@nestjs/common';
import { APP_GUARD, NestFactory } from '@nestjs/core';
import { ThrottlerGuard, ThrottlerModule } from '@nestjs/throttler';
import { concat, of, timer } from 'rxjs';
import { ignoreElements } from 'rxjs/operators';
import { problem, projectOf, record } from './store.mjs';

// A token has a limit, not an address.
class TokenThrottler extends ThrottlerGuard {
  protected async getTracker(request: any) {
    return request.headers.authorization ?? 'nobody';
  }
  // The default is a limit for each route; the API has one for each token (F8).
  protected generateKey(_: ExecutionContext, tracker: string) {
    return tracker;
  }
}

class TokenGuard implements CanActivate {
  canActivate(context: ExecutionContext) {
    const request = context.switchToHttp().getRequest();
    request.project = projectOf(request.headers.authorization);
    // What the framework says by itself, `{"message":"Unauthorized","statusCode":401}`, is the form of
    // the vendor's other API.
    const refusal = problem(401, 'unauthorized', 'the token is not valid');
    if (!request.project) throw new HttpException(refusal, 401);
    return true;
  }
}

function found(request: any, kind: string, id: string) {
  const object = request.project.find(kind, id);
  if (!object) throw new HttpException(problem(404, 'not_found', `there is no ${id}`), 404);
  return object;
}

@Controller('v1')
class Api {
  @Get('project') project() { return { id: 'prj_1', name: 'servers' }; }
}

function listed(kind: string) {
  @Controller(`v1/${kind}`)
  class Lists {
    @Get() list(@Req() request: any, @Query('page') page = 1, @Query('per_page') size = 100) {
      return request.project.list(kind, Number(page), Number(size));
    }
    @Post() create(@Req() request: any, @Body() body: any) {
      return request.project.create(kind, body);
    }
  }
  return Lists;
}

function single(kind: string) {
  @Controller(`v1/${kind}/:id`)
  class Objects {
    @Get() get(@Req() request: any, @Param('id') id: string) { return found(request, kind, id); }
    @Delete() @HttpCode(204) remove(@Req() request: any, @Param('id') id: string) {
      request.project.remove(kind, found(request, kind, id));
    }
  }
  return Objects;
}

@Controller('v1/services/:id')
class Services {
  @Patch() patch(@Req() request: any, @Param('id') id: string, @Body() body: any) {
    return request.project.patch(found(request, 'services', id), body);
  }
  @Post('deploy') @HttpCode(202) deploy(@Body() { branch }: any) {
    const created_at = new Date().toISOString();
    return { deployment_id: 'dep_1', status: 'queued', branch, created_at };
  }
  @Get('deployments') deployments() { return { deployments: [], total: 0, page: 1 }; }
  @Sse('logs') logs() {
    return concat(of({ data: { message: 'hello from NestJS' } }), timer(2_000).pipe(ignoreElements()));
  }
}

@Module({
  imports: [ThrottlerModule.forRoot([{ ttl: 60_000, limit: Number(process.env.LIMIT) }])],
  controllers: [
    Api, ...['services', 'databases', 'envgroups'].map(listed), single('services'),
    single('databases'), Services,
  ],
  providers: [
    { provide: APP_GUARD, useClass: TokenThrottler }, { provide: APP_GUARD, useClass: TokenGuard },
  ],
})
class Application {}

const application = await NestFactory.create(Application, { logger: ['error'] });
application.use((request: any, response: any, next: () => void) => {
  const { method, originalUrl } = request;
  response.on('finish', () => record(request.headers.authorization, method,
    originalUrl.split('?')[0], response.statusCode, request.body?.name));
  next();
});
await application.listen(Number(process.env.PORT), '127.0.0.1');
application.getHttpServer().keepAliveTimeout = Number(process.env.KEEP_ALIVE_MS);
