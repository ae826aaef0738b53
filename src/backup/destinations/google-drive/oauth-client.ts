import { readFileSync } from 'node:fs';

import { z } from 'zod';

import { messageOf, UsageError } from '../../../core/errors.js';
import { TOKEN_URI } from './access-token.js';

const AUTH_URI = 'https://accounts.google.com/o/oauth2/v2/auth';

/** An OAuth client of type "Desktop app". It is the user's own: resweep brings none. */
export interface OAuthClient {
  readonly id: string;
  readonly secret: string;
  readonly authUri: string;
  readonly tokenUri: string;
}

const clientFile = z.object({
  installed: z.object({
    client_id: z.string().min(1),
    client_secret: z.string().default(''),
    auth_uri: z.url().default(AUTH_URI),
    token_uri: z.url().default(TOKEN_URI),
  }),
});

/**
 * The OAuth client: from the file that the Google Cloud console gives out, or from RESWEEP_GOOGLE_CLIENT_ID and
 * RESWEEP_GOOGLE_CLIENT_SECRET.
 * @throws UsageError where there is none, or the file is of another kind
 */
export function readOAuthClient(
  file: string | undefined,
  env: Readonly<Record<string, string | undefined>> = process.env,
): OAuthClient {
  if (file === undefined) {
    const id = env['RESWEEP_GOOGLE_CLIENT_ID'];
    const secret = env['RESWEEP_GOOGLE_CLIENT_SECRET'] ?? '';
    if (id !== undefined && id !== '') return { id, secret, authUri: AUTH_URI, tokenUri: TOKEN_URI };
    throw new UsageError('Signing in needs an OAuth client of your own.', {
      hint:
        'Make one of type "Desktop app" in the Google Cloud console; then pass its file with --client FILE, or set ' +
        'RESWEEP_GOOGLE_CLIENT_ID and RESWEEP_GOOGLE_CLIENT_SECRET. docs/destinations.md has the steps.',
    });
  }
  let document: unknown;
  try {
    document = JSON.parse(readFileSync(file, 'utf8'));
  } catch (error) {
    const problem = error instanceof SyntaxError ? 'it is not JSON' : messageOf(error);
    throw new UsageError(`The OAuth client ${file} cannot be read: ${problem}.`);
  }
  const parsed = clientFile.safeParse(document);
  if (!parsed.success) {
    throw new UsageError(`${file} is not the file of an OAuth client of type "Desktop app".`, {
      hint: 'The console gives it out as client_secret_….json; it has the key "installed".',
    });
  }
  const { client_id: id, client_secret: secret, auth_uri: authUri, token_uri: tokenUri } = parsed.data.installed;
  return { id, secret, authUri, tokenUri };
}
