import { createSign } from 'node:crypto';

import { loadOptional } from '../../../core/optional-package.js';
import { DestinationError, type DestinationErrorReason } from '../destination.js';
import { NETWORK_HINT, networkReason } from '../transfer/network-errors.js';
import { sendHttp } from './http.js';
import { DriveRequestError, refusal } from './request-error.js';

export const TOKEN_URI = 'https://oauth2.googleapis.com/token';
const GRANT_MS = 30_000;
/** A token is renewed so long before it ends. */
const MARGIN_MS = 60_000;

export interface AccessToken {
  readonly token: string;
  readonly lifetimeMs: number;
}

/** Gives access tokens for one account. */
export interface TokenSource {
  /** Whose: a service account owns no storage of its own. */
  readonly account: 'serviceAccount' | 'user' | 'unknown';
  /** A new token. @throws DestinationError */
  fetch(): Promise<AccessToken>;
}

/** Keeps the token of a source until shortly before its end; many callers, one request. */
export class TokenCache {
  readonly #source: TokenSource;
  #token: string | undefined;
  #endsAt = -Infinity;
  #fetching: Promise<string> | undefined;

  constructor(source: TokenSource) {
    this.#source = source;
  }

  /** What must never be shown. */
  get secrets(): readonly string[] {
    return this.#token === undefined ? [] : [this.#token];
  }

  /** A token that is good; `refused` is one that Drive no longer takes. @throws DestinationError */
  get(refused?: string): Promise<string> {
    // Counted on the monotonic clock: a wrong or changed wall clock does no harm.
    const good = this.#token !== undefined && this.#token !== refused && performance.now() < this.#endsAt;
    if (good && this.#token !== undefined) return Promise.resolve(this.#token);
    this.#fetching ??= this.#fetch().finally(() => {
      this.#fetching = undefined;
    });
    return this.#fetching;
  }

  async #fetch(): Promise<string> {
    const { token, lifetimeMs } = await this.#source.fetch();
    this.#token = token;
    this.#endsAt = performance.now() + Math.max(0, lifetimeMs - MARGIN_MS);
    return token;
  }
}

/** Asks a token server. `secrets` never show in errors. @throws DestinationError */
export async function requestToken(
  uri: string,
  grant: Readonly<Record<string, string>>,
): Promise<Readonly<Record<string, unknown>>> {
  const what = 'asking Google for access';
  const answer = await sendHttp(what, {
    method: 'POST',
    url: uri,
    headers: { 'content-type': 'application/x-www-form-urlencoded' },
    body: new URLSearchParams(grant).toString(),
    signal: AbortSignal.timeout(GRANT_MS),
  });
  const document = jsonObject(answer.body);
  if (answer.status === 200 && document !== undefined) return document;
  const secrets = ['refresh_token', 'client_secret', 'assertion', 'code', 'code_verifier'].flatMap(
    (key) => grant[key] ?? [],
  );
  const error = refusal(what, answer, secrets);
  if (error.reason !== 'failed') throw error;
  // The grant itself was refused: asking again cannot help.
  const { status, driveReason, answeredAt } = error;
  throw new DriveRequestError('denied', error.message, { status, driveReason, answeredAt });
}

/** A stored sign-in of a person (`resweep auth google`, or `gcloud auth application-default login`). */
export class RefreshTokenSource implements TokenSource {
  readonly account = 'user';
  readonly #login: { readonly clientId: string; readonly clientSecret: string; readonly refreshToken: string };
  readonly #tokenUri: string;

  constructor(login: { clientId: string; clientSecret: string; refreshToken: string }, tokenUri = TOKEN_URI) {
    this.#login = login;
    this.#tokenUri = tokenUri;
  }

  async fetch(): Promise<AccessToken> {
    const { clientId, clientSecret, refreshToken } = this.#login;
    try {
      const document = await requestToken(this.#tokenUri, {
        grant_type: 'refresh_token',
        client_id: clientId,
        client_secret: clientSecret,
        refresh_token: refreshToken,
      });
      return toAccessToken(document);
    } catch (error) {
      if (!(error instanceof DriveRequestError) || error.driveReason !== 'invalid_grant') throw error;
      throw new DriveRequestError(
        'denied',
        'The stored Google sign-in is no longer valid: it was withdrawn or has expired.',
        {
          hint:
            'resweep auth google signs in again. Where this happens every 7 days, the OAuth app is in the state "Testing": ' +
            'set it to "In production" in the Google Cloud console.',
          driveReason: 'invalid_grant',
          status: error.status,
        },
      );
    }
  }
}

/** A key of a service account. */
export class ServiceAccountSource implements TokenSource {
  readonly account = 'serviceAccount';
  readonly #key: { readonly email: string; readonly privateKey: string; readonly keyId?: string | undefined };
  readonly #scope: string;
  readonly #tokenUri: string;
  /** What the server's clock is ahead of ours. */
  #aheadMs = 0;

  constructor(
    key: { email: string; privateKey: string; keyId?: string | undefined },
    scope: string,
    tokenUri = TOKEN_URI,
  ) {
    this.#key = key;
    this.#scope = scope;
    this.#tokenUri = tokenUri;
  }

  async fetch(): Promise<AccessToken> {
    for (let corrected = false; ; corrected = true) {
      try {
        const document = await requestToken(this.#tokenUri, {
          grant_type: 'urn:ietf:params:oauth:grant-type:jwt-bearer',
          assertion: this.#assertion(),
        });
        return toAccessToken(document);
      } catch (error) {
        if (!(error instanceof DriveRequestError) || error.driveReason !== 'invalid_grant') throw error;
        // An assertion counts from its own time: with a wrong clock here, the server's is taken.
        const aheadMs = error.answeredAt === undefined ? this.#aheadMs : error.answeredAt - Date.now();
        if (corrected || Math.abs(aheadMs - this.#aheadMs) < 30_000) {
          const hint = 'The key of this service account may be deleted, or the account disabled.';
          throw new DriveRequestError('denied', error.message, { hint, driveReason: 'invalid_grant' });
        }
        this.#aheadMs = aheadMs;
      }
    }
  }

  #assertion(): string {
    const now = Math.floor((Date.now() + this.#aheadMs) / 1000);
    const { email, privateKey, keyId } = this.#key;
    const encode = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url');
    const head = encode({ alg: 'RS256', typ: 'JWT', ...(keyId === undefined ? {} : { kid: keyId }) });
    const claims = encode({ iss: email, scope: this.#scope, aud: this.#tokenUri, iat: now, exp: now + 3600 });
    try {
      const signature = createSign('RSA-SHA256').update(`${head}.${claims}`).sign(privateKey, 'base64url');
      return `${head}.${claims}.${signature}`;
    } catch {
      throw new DestinationError('denied', `The private key of ${email} cannot be used: is its file whole?`);
    }
  }
}

/** Whatever else Google's library finds: the account of the machine (metadata server), workload identity, an impersonated account. */
export class LibraryTokenSource implements TokenSource {
  readonly account = 'unknown';
  readonly #scope: string;
  readonly #keyFile: string | undefined;

  constructor(scope: string, keyFile?: string) {
    this.#scope = scope;
    this.#keyFile = keyFile;
  }

  async fetch(): Promise<AccessToken> {
    const { GoogleAuth } = await loadOptional(
      'google-auth-library',
      'Google Drive',
      () => import('google-auth-library'),
    );
    const auth = new GoogleAuth({
      scopes: [this.#scope],
      ...(this.#keyFile === undefined ? {} : { keyFile: this.#keyFile }),
    });
    let token: string | null | undefined;
    try {
      token = await auth.getAccessToken();
    } catch (error) {
      // Its message may hold what was sent, and is not shown.
      const reason = passingReason(error);
      if (reason !== undefined) {
        throw new DestinationError(reason, 'Google could not be asked for access.', { hint: NETWORK_HINT });
      }
    }
    if (typeof token !== 'string' || token === '') {
      throw new DestinationError('denied', 'No Google credentials were found, or they were refused.', {
        hint: 'resweep auth google signs in; or set GOOGLE_APPLICATION_CREDENTIALS, or `credentials:` of the destination.',
      });
    }
    return { token, lifetimeMs: 5 * 60_000 };
  }
}

/** Why Google's library got no answer, where asking again can help: the network, a server in trouble, too many requests. */
function passingReason(error: unknown): DestinationErrorReason | undefined {
  const { status, code } = error as { readonly status?: unknown; readonly code?: unknown };
  if (typeof status !== 'number') return typeof code === 'string' ? networkReason({ code }) : undefined;
  if (status === 429) return 'rateLimited';
  return status >= 500 ? 'unreachable' : undefined;
}

function toAccessToken(document: Readonly<Record<string, unknown>>): AccessToken {
  const { access_token: token, expires_in: seconds } = document;
  if (typeof token !== 'string' || token === '') {
    throw new DriveRequestError('failed', 'Google answered without an access token.');
  }
  return { token, lifetimeMs: (typeof seconds === 'number' ? seconds : 3600) * 1000 };
}

function jsonObject(body: unknown): Readonly<Record<string, unknown>> | undefined {
  try {
    const value: unknown = typeof body === 'string' ? JSON.parse(body) : body;
    return typeof value === 'object' && value !== null ? (value as Readonly<Record<string, unknown>>) : undefined;
  } catch {
    return undefined;
  }
}
