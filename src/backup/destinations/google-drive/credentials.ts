import { existsSync, readFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';

import { z } from 'zod';

import { messageOf, UsageError } from '../../../core/errors.js';
import { userConfigFolder } from '../../../core/user-folders.js';
import { LibraryTokenSource, RefreshTokenSource, ServiceAccountSource, type TokenSource } from './access-token.js';

export type DriveScope = 'drive.file' | 'drive';

/** `auto`: the environment, then a sign-in, then what the machine has. */
export type CredentialsChoice = 'auto' | 'login' | 'default';

type Environment = Readonly<Record<string, string | undefined>>;

export function scopeUrl(scope: DriveScope): string {
  return `https://www.googleapis.com/auth/${scope}`;
}

/** Where `resweep auth google` keeps the sign-in. */
export function loginFile(env: Environment = process.env): string {
  return join(userConfigFolder(env), 'google-login.json');
}

const serviceAccount = z.object({
  type: z.literal('service_account'),
  client_email: z.string().min(1),
  private_key: z.string().min(1),
  private_key_id: z.string().optional(),
  token_uri: z.url().optional(),
});
/** Also the form in which a sign-in is stored, so that the file can be used on another machine and by other tools. */
const authorizedUser = z.object({
  type: z.literal('authorized_user'),
  client_id: z.string().min(1),
  client_secret: z.string().default(''),
  refresh_token: z.string().min(1),
  token_uri: z.url().optional(),
});

/**
 * Who asks Drive: a file that the configuration names, one that GOOGLE_APPLICATION_CREDENTIALS names, the stored sign-in, what
 * gcloud has stored, the account of the machine; the first of them that there is.
 * @throws UsageError for a file that cannot be read or is none with credentials, and for a sign-in that is asked for and missing
 */
export function findCredentials(
  destination: string,
  choice: { readonly file?: string | undefined; readonly auth: CredentialsChoice; readonly scope: DriveScope },
  env: Environment = process.env,
): TokenSource {
  const scope = scopeUrl(choice.scope);
  const { file, auth } = choice;
  if (file !== undefined) return fromFile(destination, file, scope);
  const named = env['GOOGLE_APPLICATION_CREDENTIALS'];
  if (auth !== 'login' && named !== undefined && named !== '') return fromFile(destination, named, scope);
  const login = loginFile(env);
  if (auth !== 'default' && existsSync(login)) return fromFile(destination, login, scope);
  if (auth === 'login') {
    throw new UsageError(`Destination "${destination}": there is no stored Google sign-in on this machine.`, {
      hint: 'resweep auth google',
    });
  }
  const gcloud = join(
    env['CLOUDSDK_CONFIG'] ??
      join(...(process.platform === 'win32' ? [env['APPDATA'] ?? homedir()] : [homedir(), '.config']), 'gcloud'),
    'application_default_credentials.json',
  );
  return existsSync(gcloud) ? fromFile(destination, gcloud, scope) : new LibraryTokenSource(scope);
}

function fromFile(destination: string, file: string, scope: string): TokenSource {
  const complain = (problem: string): UsageError =>
    new UsageError(`Destination "${destination}": the Google credentials ${file} ${problem}.`, {
      hint: 'It has to be the JSON file of a service account key, of `resweep auth google` or of gcloud.',
    });
  let document: unknown;
  try {
    document = JSON.parse(readFileSync(file, 'utf8'));
  } catch (error) {
    // A parser's message quotes what it read.
    throw complain(error instanceof SyntaxError ? 'are not JSON' : `cannot be read: ${messageOf(error)}`);
  }
  const key = serviceAccount.safeParse(document);
  if (key.success) {
    const { client_email: email, private_key: privateKey, private_key_id: keyId, token_uri: uri } = key.data;
    return new ServiceAccountSource({ email, privateKey, keyId }, scope, uri);
  }
  const login = authorizedUser.safeParse(document);
  if (login.success) {
    const {
      client_id: clientId,
      client_secret: clientSecret,
      refresh_token: refreshToken,
      token_uri: uri,
    } = login.data;
    return new RefreshTokenSource({ clientId, clientSecret, refreshToken }, uri);
  }
  const type = typeof document === 'object' && document !== null && 'type' in document ? document.type : undefined;
  const known = ['external_account', 'impersonated_service_account', 'external_account_authorized_user'];
  if (typeof type === 'string' && known.includes(type)) return new LibraryTokenSource(scope, file);
  if (type === 'service_account' || type === 'authorized_user') {
    const [issue] = (type === 'service_account' ? key : login).error.issues;
    throw complain(`lack a good ${issue?.path.join('.') ?? 'field'}`);
  }
  throw complain(
    typeof document === 'object' && document !== null && ('installed' in document || 'web' in document)
      ? 'are those of an OAuth client, which only `resweep auth google --client FILE` takes'
      : 'are of no known type',
  );
}
