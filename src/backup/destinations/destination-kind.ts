import type { z } from 'zod';

import { UsageError } from '../../core/errors.js';
import type { Destination, DestinationPolicy } from '../destination.js';

/** What every kind is given beside its own options. */
export interface DestinationContext {
  readonly name: string;
  readonly projectRoot: string;
  readonly project?: string | undefined;
  readonly mounts?: readonly string[] | undefined;
  readonly policy?: DestinationPolicy | undefined;
}

/** A kind of destination, as the registry and the configuration know it. A new kind is one file and one line in the registry. */
export interface DestinationKind {
  /** `type` in the configuration. */
  readonly type: string;
  /** One line, for people. */
  readonly summary: string;
  /** Its own keys, in camelCase. */
  readonly schema: z.ZodType;
  /** @throws UsageError for options that do not fit the schema. */
  readonly create: (options: unknown, context: DestinationContext) => Destination;
}

/** A kind whose `create` is given options of the schema's type. */
export function defineDestinationKind<Options>(kind: {
  readonly type: string;
  readonly summary: string;
  readonly schema: z.ZodType<Options>;
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
