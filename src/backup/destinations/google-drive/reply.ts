import type { drive_v3 } from '@googleapis/drive';

import type { Answer } from './request-error.js';

/** The file that an upload's last answer describes; where the answer was cut short, its identifier is all that is known of it. */
export function fileIn(answer: Answer, id: string): drive_v3.Schema$File {
  try {
    return { id, ...(JSON.parse(String(answer.body)) as drive_v3.Schema$File) };
  } catch {
    return { id };
  }
}
