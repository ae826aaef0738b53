import { createHash, createPublicKey, generateKeyPairSync, randomBytes, verify, type KeyObject } from 'node:crypto';

import type { Account } from './drive-state.js';

/** An OAuth client as the console gives it out. */
export interface OAuthClient {
  readonly id: string;
  readonly secret: string;
}

interface Grant {
  readonly account: Account;
  readonly client: OAuthClient;
  readonly scope: Account['scope'];
}

export interface TokenReply {
  readonly status: number;
  readonly body: Readonly<Record<string, unknown>>;
}

const refuse = (error: string, description: string, status = 400): TokenReply => ({
  status,
  body: { error, error_description: description },
});

let pair: { readonly publicKey: KeyObject; readonly privateKey: string } | undefined;
/** Made once: it takes a while. */
function keyPair() {
  if (pair === undefined) {
    const made = generateKeyPairSync('rsa', {
      modulusLength: 2048,
      publicKeyEncoding: { type: 'spki', format: 'pem' },
      privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
    });
    pair = { publicKey: createPublicKey(made.publicKey), privateKey: made.privateKey };
  }
  return pair;
}

/** The token server: refresh tokens, authorization codes with PKCE, assertions of service accounts. */
export class OAuthServer {
  /** Seconds that a token lives. */
  lifetime = 3600;
  /** What the person at the consent page does. */
  consent: 'given' | 'denied' = 'given';
  /** Who is signed in at the consent page. */
  person: Account | undefined;
  readonly clients = new Map<string, OAuthClient>();
  readonly serviceAccounts = new Map<string, Account>();
  /** Requests to the token endpoint. */
  tokenRequests = 0;
  readonly #refreshTokens = new Map<string, Grant>();
  readonly #codes = new Map<string, Grant & { readonly redirect: string; readonly challenge: string }>();
  readonly #accessTokens = new Map<string, { readonly account: Account; readonly endsAt: number }>();

  addClient(): OAuthClient {
    const client = {
      id: `${randomBytes(8).toString('hex')}.apps.example`,
      secret: `secret-${randomBytes(8).toString('hex')}`,
    };
    this.clients.set(client.id, client);
    return client;
  }

  /** A sign-in that was made before. */
  addLogin(account: Account, client: OAuthClient): string {
    const token = `1//${randomBytes(24).toString('base64url')}`;
    this.#refreshTokens.set(token, { account, client, scope: account.scope });
    return token;
  }

  addServiceAccount(account: Account): { readonly private_key: string; readonly client_email: string } {
    this.serviceAccounts.set(account.email, account);
    return { private_key: keyPair().privateKey, client_email: account.email };
  }

  /** All refresh tokens end, as those of an app in testing do after a week. */
  withdrawLogins(): void {
    this.#refreshTokens.clear();
  }

  /** All access tokens end at once. */
  withdrawTokens(): void {
    this.#accessTokens.clear();
  }

  accountOf(authorization: string | undefined): Account | undefined {
    const token = /^Bearer (\S+)$/.exec(authorization ?? '')?.[1];
    const found = token === undefined ? undefined : this.#accessTokens.get(token);
    return found !== undefined && performance.now() < found.endsAt ? found.account : undefined;
  }

  /** The consent page: where it sends the browser. */
  authorize(query: URLSearchParams): { readonly redirect: string } | { readonly error: string } {
    const client = this.clients.get(query.get('client_id') ?? '');
    const redirect = query.get('redirect_uri') ?? '';
    if (client === undefined || this.person === undefined) return { error: 'invalid_client' };
    if (!/^http:\/\/(127\.0\.0\.1|\[::1\]|localhost)(:\d+)?(\/|$)/.test(redirect))
      return { error: 'redirect_uri_mismatch' };
    if (query.get('response_type') !== 'code') return { error: 'unsupported_response_type' };
    if (query.get('code_challenge_method') !== 'S256') return { error: 'invalid_request' };
    const scope = /^https:\/\/www\.googleapis\.com\/auth\/(drive\.file|drive)$/.exec(query.get('scope') ?? '')?.[1];
    if (scope === undefined) return { error: 'invalid_scope' };
    const back = new URL(redirect);
    back.searchParams.set('state', query.get('state') ?? '');
    if (this.consent === 'denied') back.searchParams.set('error', 'access_denied');
    else {
      const code = `4/${randomBytes(16).toString('base64url')}`;
      const challenge = query.get('code_challenge') ?? '';
      const account = { ...this.person, scope: scope as Account['scope'] };
      this.#codes.set(code, { account, client, scope: scope as Account['scope'], redirect, challenge });
      back.searchParams.set('code', code);
      back.searchParams.set('scope', query.get('scope') ?? '');
    }
    return { redirect: back.href };
  }

  /** The token endpoint. `now` is the server's clock. */
  grant(form: URLSearchParams, now: number, audience: string): TokenReply {
    this.tokenRequests++;
    switch (form.get('grant_type')) {
      case 'refresh_token': {
        const problem = this.#clientProblem(form);
        if (problem !== undefined) return problem;
        const grant = this.#refreshTokens.get(form.get('refresh_token') ?? '');
        if (grant?.client.id !== form.get('client_id'))
          return refuse('invalid_grant', 'Token has been expired or revoked.');
        return this.#token(grant.account);
      }
      case 'authorization_code': {
        const problem = this.#clientProblem(form);
        if (problem !== undefined) return problem;
        const code = form.get('code') ?? '';
        const grant = this.#codes.get(code);
        this.#codes.delete(code);
        const challenge = createHash('sha256')
          .update(form.get('code_verifier') ?? '')
          .digest('base64url');
        if (grant?.redirect !== form.get('redirect_uri') || grant.challenge !== challenge)
          return refuse('invalid_grant', 'Malformed auth code.');
        const refresh = this.addLogin(grant.account, grant.client);
        const { status, body } = this.#token(grant.account);
        return { status, body: { ...body, refresh_token: refresh } };
      }
      case 'urn:ietf:params:oauth:grant-type:jwt-bearer':
        return this.#assertion(form.get('assertion') ?? '', now, audience);
      default:
        return refuse('unsupported_grant_type', 'Invalid grant_type');
    }
  }

  #clientProblem(form: URLSearchParams): TokenReply | undefined {
    const client = this.clients.get(form.get('client_id') ?? '');
    return client?.secret === form.get('client_secret')
      ? undefined
      : refuse('invalid_client', 'The OAuth client was not found.', 401);
  }

  #assertion(assertion: string, now: number, audience: string): TokenReply {
    const [head = '', claims = '', signature = ''] = assertion.split('.');
    const read = (part: string): Record<string, unknown> =>
      JSON.parse(Buffer.from(part, 'base64url').toString('utf8')) as Record<string, unknown>;
    const { iss, scope, aud, iat, exp } = read(claims);
    const account = this.serviceAccounts.get(String(iss));
    if (account === undefined) return refuse('invalid_grant', 'Invalid grant: account not found');
    const signed = verify(
      'RSA-SHA256',
      Buffer.from(`${head}.${claims}`),
      keyPair().publicKey,
      Buffer.from(signature, 'base64url'),
    );
    if (read(head)['alg'] !== 'RS256' || !signed) return refuse('invalid_grant', 'Invalid JWT Signature.');
    if (aud !== audience) return refuse('invalid_grant', 'Invalid JWT: wrong audience.');
    const seconds = now / 1000;
    if (typeof iat !== 'number' || typeof exp !== 'number' || exp - iat > 3600 || iat > seconds + 300 || exp < seconds)
      return refuse(
        'invalid_grant',
        'Invalid JWT: Token must be a short-lived token (60 minutes) and in a reasonable timeframe.',
      );
    const name = /\/auth\/(drive\.file|drive)$/.exec(String(scope))?.[1];
    if (name === undefined) return refuse('invalid_scope', 'Invalid OAuth scope.');
    return this.#token({ ...account, scope: name as Account['scope'] });
  }

  #token(account: Account): TokenReply {
    const token = `ya29.${randomBytes(24).toString('base64url')}`;
    this.#accessTokens.set(token, { account, endsAt: performance.now() + this.lifetime * 1000 });
    return {
      status: 200,
      body: {
        access_token: token,
        expires_in: this.lifetime,
        token_type: 'Bearer',
        scope: `https://www.googleapis.com/auth/${account.scope}`,
      },
    };
  }
}
