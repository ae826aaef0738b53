/** `${NAME}`, `${NAME:-default}`, and `$${` for a `${` that is meant as such. */
const REFERENCE = /\$(\$\{)|\$\{([A-Za-z_][A-Za-z0-9_]*)(?::-([^}]*))?\}/g;

/** Values that came from the environment, to keep them out of everything that is shown. */
export class SecretTexts {
  readonly #names = new Map<string, string>();

  add(name: string, value: string): void {
    // Short values are no secrets, and to replace them would tear other words apart.
    if (value.length >= 6) this.#names.set(value, name);
  }

  /** The same text with each such value written as `${NAME}` again. */
  redact(text: string): string {
    let result = text;
    for (const [value, name] of this.#names) result = result.replaceAll(value, `\${${name}}`);
    return result;
  }
}

export interface Substitution {
  readonly text: string;
  readonly changed: boolean;
  /** Variables that are not set and have no default. */
  readonly missing: readonly string[];
}

/** Puts the environment's values into one text. */
export function substitute(
  text: string,
  env: Readonly<Record<string, string | undefined>>,
  secrets: SecretTexts,
): Substitution {
  if (!text.includes('${')) return { text, changed: false, missing: [] };
  const missing: string[] = [];
  const result = text.replace(
    REFERENCE,
    (_match, escaped: string | undefined, name: string | undefined, fallback: string | undefined) => {
      if (escaped !== undefined || name === undefined) return '${';
      const value = env[name];
      if (value !== undefined && value !== '') {
        secrets.add(name, value);
        return value;
      }
      if (fallback === undefined) missing.push(name);
      return fallback ?? '';
    },
  );
  return { text: result, changed: result !== text, missing };
}
