/**
 * Crowding distance of each point of a front: the sum over objectives of the gap between its neighbours, as a share of the front's
 * range (Deb et al., IEEE TEC 2002, section III-B). Ends are infinitely far from anything; an objective in which all are equal does
 * not count; the gap between equal infinities is none.
 */
export function crowdingDistances(values: readonly (readonly number[])[]): Float64Array {
  const distances = new Float64Array(values.length);
  const order = [...values.keys()];
  for (let m = 0; m < (values[0]?.length ?? 0); m++) {
    const at = (place: number): number => values[order[place] as number]?.[m] ?? NaN;
    order.sort((a, b) => compareNumbers(values[a]?.[m] ?? NaN, values[b]?.[m] ?? NaN));
    if (at(0) === at(order.length - 1)) continue;
    const finite = order.map((_, place) => at(place)).filter(Number.isFinite);
    const width = finite.length === 0 ? 1 : (finite[finite.length - 1] as number) - (finite[0] as number) || 1;
    for (const [place, i] of order.entries()) {
      const before = place === 0 ? -Infinity : at(place - 1);
      const after = place === order.length - 1 ? Infinity : at(place + 1);
      distances[i] = (distances[i] as number) + (before === after ? 0 : after - before) / width;
    }
  }
  return distances;
}

/** Indices of a front from the least crowded to the most; equals in reverse order of how they stand after the last objective. */
export function byCrowding(values: readonly (readonly number[])[]): number[] {
  const distances = crowdingDistances(values);
  const order = [...values.keys()];
  for (let m = 0; m < (values[0]?.length ?? 0); m++)
    order.sort((a, b) => compareNumbers(values[a]?.[m] ?? NaN, values[b]?.[m] ?? NaN));
  return order.sort((a, b) => compareNumbers(distances[a] as number, distances[b] as number)).reverse();
}

/** Infinities are equal to themselves, which a difference does not tell. */
function compareNumbers(a: number, b: number): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
