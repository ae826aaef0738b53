import { readOAuthClient, signInWithGoogle, type SignIn, type SignInOptions } from '../../backup/index.js';

/** `resweep auth google`: with the client of a file or of the environment. @throws UsageError, DestinationError */
export function signIn(
  options: Omit<SignInOptions, 'client'> & { readonly clientFile: string | undefined },
): Promise<SignIn> {
  const { clientFile, ...others } = options;
  return signInWithGoogle({ ...others, client: readOAuthClient(clientFile) });
}
