import type { z } from 'zod';

import { UsageError } from '../../core/errors.js';
import type { StorageClasses } from '../../core/sweep-config.js';
import type { Destination, DestinationPolicy } from './destination.js';

/** What every kind is given beside its own options. */
export interface DestinationContext {
  readonly name: string;
  readonly projectRoot: string;
  readonly project?: string | undefined;
  readonly mounts?: readonly string[] | undefined;
  readonly policy?: DestinationPolicy | undefined;
  /** Class of storage, one for all or by tier; used by kinds that have such. */
  readonly storageClass?: string | StorageClasses | undefined;
  /** Put on what is sent, by kinds that have such. */
  readonly tags?: Readonly<Record<string, string>> | undefined;
  /** Whether everything is encrypted before it is sent. */
  readonly encrypted?: boolean | undefined;
}

/** A kind of destination, as the registry and the configuration know it. A new kind is one file and one line in the registry. */
export interface DestinationKind {
  /** `type` in the configuration. */
  readonly type: string;
  /** One line, for people. */
  readonly summary: string;
  /** Its own keys, in camelCase. */
  readonly schema: z.ZodType;
  /** How often a copy is sent where nothing is said. @default every trial */
  readonly defaultEvery?: { readonly milliseconds: number } | undefined;
  /** @throws UsageError for options that do not fit the schema. */
  readonly create: (options: unknown, context: DestinationContext) => Destination;
}

/** A kind whose `create` is given options of the schema's type. */
export function defineDestinationKind<Options>(kind: {
  readonly type: string;
  readonly summary: string;
  readonly schema: z.ZodType<Options>;
  readonly defaultEvery?: { readonly milliseconds: number } | undefined;
  readonly create: (options: Options, context: DestinationContext) => Destination;
}): DestinationKind {
  return {
    ...kind,
    create: (options, context) => {
      const parsed = kind.schema.safeParse(options);
      if (parsed.success) return kind.create(parsed.data, context);
      const [issue] = parsed.error.issues;
      const where = issue === undefined || issue.path.length === 0 ? '' : `${issue.path.join('.')}: `;
      throw new UsageError(
        `Destination "${context.name}" (${kind.type}): ${where}${issue?.message ?? 'wrong options'}.`,
      );
    },
  };
}
