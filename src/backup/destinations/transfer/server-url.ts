/** Whether secrets may travel there: to a server that proves who it is, or to this machine. No secret stands in the address itself. */
export function isSafeServer(url: string): boolean {
  if (holdsCredentials(url)) return false;
  const { protocol, hostname } = new URL(url);
  return protocol === 'https:' || (protocol === 'http:' && ['127.0.0.1', '[::1]', 'localhost'].includes(hostname));
}

export function holdsCredentials(url: string): boolean {
  const { username, password, search } = new URL(url);
  // No service's address has a query: what stands there is a key.
  return username !== '' || password !== '' || search !== '';
}
