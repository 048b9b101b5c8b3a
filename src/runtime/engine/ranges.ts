import type { SlotRange } from './layout';

/** Ranges in order, those that touch as one. */
export function joined(ranges: readonly SlotRange[]): SlotRange[] {
  const all: [start: number, end: number][] = [];
  for (const [start, end] of ranges) {
    const last = all.at(-1);
    if (last?.[1] === start) last[1] = end;
    else if (end > start) all.push([start, end]);
  }
  return all;
}

/** Inputs that one instruction reads: in ranges of the same length, but for the last, and at the same distance. */
export interface EvenRun {
  readonly first: number;
  readonly span: number;
  readonly gap: number;
  readonly inputs: number;
}

/** Divides ranges into even runs, at least one. */
export function evenRuns(ranges: readonly SlotRange[]): EvenRun[] {
  const runs: EvenRun[] = [];
  for (let i = 0; i < ranges.length; ) {
    const [first, end] = ranges[i++] as SlotRange;
    const span = end - first;
    const next = ranges[i];
    const gap = next === undefined || next[1] - next[0] > span ? 0 : next[0] - end;
    let inputs = span;
    for (
      let last = span;
      gap > 0 && last === span && ranges[i]?.[0] === first + (inputs / span) * (span + gap);
      i++
    ) {
      const [from, to] = ranges[i] as SlotRange;
      last = to - from;
      if (last > span) break;
      inputs += last;
    }
    runs.push({ first, span, gap, inputs });
  }
  return runs.length > 0 ? runs : [{ first: 0, span: 0, gap: 0, inputs: 0 }];
}
