// NestJS 12: a guard that is the same on Express and on Fastify.
//   nest.mts --platform=express | --platform=fastify
import {
  Controller,
  HttpException,
  Injectable,
  Module,
  Post,
  Req,
  UseGuards,
  Header,
  HttpCode,
  type CanActivate,
  type ExecutionContext,
  type NestApplicationOptions
} from '@nestjs/common'
import { HttpAdapterHost, NestFactory } from '@nestjs/core'
import { FastifyAdapter } from '@nestjs/platform-fastify'
import { ClientAuthError, createClientAuthenticator, type ClientAuthRequest, type OAuthClient } from 'oauth-client-auth'
import { findClient, issuer, issueToken } from '../support/clients.mjs'
import { demonstrate, rowsBesideForms } from '../support/demonstrate.mjs'

// --- glue
type TokenRequest = ClientAuthRequest & {
  headers: { 'content-type'?: string }
  raw?: ClientAuthRequest
  oauthClient?: OAuthClient
}

// Outside the class: Nest makes a guard for each module, and all must share the memory of used assertions.
const authenticate = createClientAuthenticator({ issuer, getClient: findClient })

@Injectable()
export class OAuthClientGuard implements CanActivate {
  constructor(private readonly adapterHost: HttpAdapterHost) {}

  async canActivate(context: ExecutionContext): Promise<boolean> {
    const http = context.switchToHttp()
    const request = http.getRequest<TokenRequest>()
    const { headers, body, rawHeaders = request.raw?.rawHeaders } = request // Fastify keeps Node's request as raw
    if (body && !/^application\/x-www-form-urlencoded/i.test(headers['content-type'] ?? ''))
      throw new HttpException({ error: 'invalid_request' }, 400) // Nest parses JSON too
    try {
      const { client } = await authenticate({ headers, body, rawHeaders })
      request.oauthClient = client
      return true
    } catch (error) {
      if (!(error instanceof ClientAuthError)) throw error
      for (const [name, value] of Object.entries(error.headers)) {
        this.adapterHost.httpAdapter.setHeader(http.getResponse(), name, value)
      }
      throw new HttpException(error.toJSON(), error.status, { cause: error })
    }
  }
}

@Controller()
export class TokenController {
  @Post('token')
  @HttpCode(200)
  @Header('Cache-Control', 'no-store')
  @UseGuards(OAuthClientGuard)
  token(@Req() request: TokenRequest) {
    return issueToken(request.oauthClient)
  }
}
// --- end

@Module({ controllers: [TokenController] })
class AppModule {}

const options: NestApplicationOptions = { logger: ['error'] }
const app = process.argv.includes('--platform=fastify')
  ? await NestFactory.create(AppModule, new FastifyAdapter(), options)
  : await NestFactory.create(AppModule, options)
await app.listen(0, '127.0.0.1')
const more = (url: string) => rowsBesideForms(url, { status: 400, error: 'invalid_request' }, {})
await demonstrate('NestJS 12', app.getHttpServer(), { more })
await app.close()
