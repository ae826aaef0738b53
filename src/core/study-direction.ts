/** Direction of one objective. Optuna's database spells it in upper case, see storage. */
export type StudyDirection = 'minimize' | 'maximize';

/** True where `a` is strictly better than `b` in this direction. NaN is never better. */
export function isBetter(direction: StudyDirection, a: number, b: number): boolean {
  return direction === 'minimize' ? a < b : a > b;
}
