/** An entity in a sentence: its type, first and last token. */
export interface Entity {
  readonly type: string;
  readonly start: number;
  readonly end: number;
}

/** `B-PER` → begin and type; `O` → outside; a tag without a mark (`PER`) is inside of its type. */
function partsOf(tag: string): readonly [mark: string, type: string] {
  if (tag === 'O') return ['O', ''];
  const dash = tag.indexOf('-');
  const mark = dash < 0 ? 'I' : tag.slice(0, dash).toUpperCase();
  return [mark === 'U' ? 'S' : mark === 'L' ? 'E' : mark, dash < 0 ? tag : tag.slice(dash + 1)];
}

/**
 * The entities that tags say, as the CoNLL tasks' own script counts them: an entity begins where a tag says so (B, S), where the
 * type changes, or inside (I, E) after outside or an end; it ends before the next one begins, before O, and after E or S. So tags of
 * all schemes (IOB1, IOB2, IOE, IOBES) are read, and those that break a scheme's rules too.
 */
export function entitiesOf(tags: readonly string[]): Entity[] {
  const entities: Entity[] = [];
  let start = -1;
  let type = '';
  let previous = 'O';
  tags.forEach((tag, index) => {
    const [mark, own] = partsOf(tag);
    const isOutside = mark === 'O';
    const goesOn =
      start >= 0 && !isOutside && own === type && mark !== 'B' && mark !== 'S' && previous !== 'E' && previous !== 'S';
    if (start >= 0 && !goesOn) {
      entities.push({ type, start, end: index - 1 });
      start = -1;
    }
    if (!isOutside && start < 0) {
      start = index;
      type = own;
    }
    previous = mark;
  });
  if (start >= 0) entities.push({ type, start, end: tags.length - 1 });
  return entities;
}
