import { createHash, randomBytes } from 'node:crypto';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';

import { writePrivateFile } from '../../../core/private-file.js';
import { DestinationError } from '../destination.js';
import { requestToken } from './access-token.js';
import { loginFile, scopeUrl, type DriveScope } from './credentials.js';
import type { OAuthClient } from './oauth-client.js';

const DEFAULT_TIMEOUT_MS = 10 * 60_000;
const PAGE = '<!doctype html><meta charset="utf-8"><title>resweep</title><p>';

export interface SignInOptions {
  readonly client: OAuthClient;
  readonly scope: DriveScope;
  /** Told where the person gives consent; opens it, or shows it. */
  readonly onUrl: (url: string) => void;
  /** The address to which the browser was sent, where it runs on another machine and somebody copies it. */
  readonly pasted?: AsyncIterable<string> | undefined;
  /** @default 10 minutes */
  readonly timeoutMs?: number | undefined;
  /** @default the user's own */
  readonly file?: string | undefined;
}

export interface SignIn {
  /** Where the sign-in is stored, mode 0600. */
  readonly file: string;
  readonly scope: DriveScope;
}

/**
 * Signs a person in, as RFC 8252 and 7636 say it for installed apps: consent in the browser, back to an address of this machine,
 * with a proof (PKCE) that only this process has. Stores the refresh token.
 * @throws DestinationError where consent is refused, does not come in time, or is for less than was asked
 */
export async function signInWithGoogle(options: SignInOptions): Promise<SignIn> {
  const { client, scope, onUrl, pasted, timeoutMs = DEFAULT_TIMEOUT_MS, file = loginFile() } = options;
  const verifier = randomBytes(48).toString('base64url');
  const state = randomBytes(24).toString('base64url');
  const waiting = new Waiting(state);
  const server = await waiting.listen();
  const redirect = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const timer = setTimeout(() => {
    waiting.fail(new DestinationError('timeout', 'Nobody gave consent in time.', { hint: 'resweep auth google' }));
  }, timeoutMs);
  let code: string;
  try {
    const url = new URL(client.authUri);
    const parameters = {
      client_id: client.id,
      redirect_uri: redirect,
      response_type: 'code',
      scope: scopeUrl(scope),
      state,
      code_challenge: createHash('sha256').update(verifier).digest('base64url'),
      code_challenge_method: 'S256',
      access_type: 'offline',
      prompt: 'consent',
    };
    for (const [name, value] of Object.entries(parameters)) url.searchParams.set(name, value);
    onUrl(url.href);
    if (pasted !== undefined) void waiting.read(pasted);
    code = await waiting.code;
  } finally {
    clearTimeout(timer);
    server.closeAllConnections();
    server.close();
  }
  const document = await requestToken(client.tokenUri, {
    grant_type: 'authorization_code',
    client_id: client.id,
    client_secret: client.secret,
    code,
    code_verifier: verifier,
    redirect_uri: redirect,
  });
  const { refresh_token: refreshToken, scope: granted } = document;
  if (typeof granted === 'string' && !granted.split(' ').includes(scopeUrl(scope))) {
    throw new DestinationError('denied', `Consent was not given for the scope ${scope}.`, {
      hint: 'Tick the box for Google Drive on the consent page: resweep auth google',
    });
  }
  if (typeof refreshToken !== 'string') {
    throw new DestinationError('denied', 'Google gave no refresh token.', {
      hint: 'The OAuth client has to be of type "Desktop app".',
    });
  }
  // The form that gcloud writes too, so that the file serves on another machine and with other tools.
  const login = {
    type: 'authorized_user',
    client_id: client.id,
    client_secret: client.secret,
    refresh_token: refreshToken,
    token_uri: client.tokenUri,
    scope: scopeUrl(scope),
  };
  writePrivateFile(file, `${JSON.stringify(login, null, 2)}\n`);
  return { file, scope };
}

/** The answer of the consent page, by whichever way it comes. */
class Waiting {
  readonly code: Promise<string>;
  readonly #state: string;
  #resolve: (code: string) => void = () => undefined;
  #reject: (error: Error) => void = () => undefined;

  constructor(state: string) {
    this.#state = state;
    this.code = new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
    this.code.catch(() => undefined);
  }

  fail(error: Error): void {
    this.#reject(error);
  }

  async listen(): Promise<Server> {
    const server = createServer((request, response) => {
      const isTaken = this.#take(new URL(request.url ?? '/', 'http://127.0.0.1').searchParams);
      response.writeHead(isTaken ? 200 : 400, { 'content-type': 'text/html; charset=utf-8', connection: 'close' });
      response.end(
        `${PAGE}${isTaken ? 'resweep has the answer. This page can be closed.' : 'This is not the answer that resweep waits for.'}`,
      );
    });
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen(0, '127.0.0.1', resolve);
    });
    return server;
  }

  async read(lines: AsyncIterable<string>): Promise<void> {
    for await (const line of lines) {
      if (URL.canParse(line.trim()) && this.#take(new URL(line.trim()).searchParams)) return;
    }
  }

  /** False for what did not come from the consent page that was opened. */
  #take(answer: URLSearchParams): boolean {
    if (answer.get('state') !== this.#state) return false;
    const code = answer.get('code');
    if (code !== null) this.#resolve(code);
    else {
      const reason = (answer.get('error') ?? 'no code').replaceAll(/[^\w ]/g, '');
      this.#reject(new DestinationError('denied', `Consent was refused (${reason}).`, { hint: 'resweep auth google' }));
    }
    return true;
  }
}
