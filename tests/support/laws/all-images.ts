import type { Symmetry } from 'pixelcnn-layers';
import type { PortableModel } from 'pixelcnn-layers/runtime';

/** All images of so many values, in the order of their numbers to the base of levels. */
export function allImages(levels: number, total: number): number[][] {
  return Array.from({ length: levels ** total }, (_, i) =>
    Array.from({ length: total }, (_, place) => Math.floor(i / levels ** (total - 1 - place)) % levels),
  );
}

/** Images as functions take them. */
export const asImages = (images: readonly (readonly number[])[], { imageShape }: PortableModel) => ({
  data: images.flat(),
  shape: [images.length, ...imageShape] as number[],
});

/** The images of a result, each as a list. */
export function listOf({ data, shape }: { data: ArrayLike<number>; shape: readonly number[] }): number[][] {
  const total = shape.slice(1).reduce((product, length) => product * length);
  const all = Array.from(data);
  return Array.from({ length: all.length / total }, (_, n) => all.slice(n * total, (n + 1) * total));
}

/** How often each of some images occurs in others. */
export function countsOf(drawn: readonly number[][], images: readonly (readonly number[])[]): number[] {
  const counts = new Map<string, number>();
  for (const image of drawn) counts.set(String(image), (counts.get(String(image)) ?? 0) + 1);
  return images.map((image) => counts.get(String(image)) ?? 0);
}

export const sumOf = (numbers: readonly number[]): number => numbers.reduce((sum, one) => sum + one, 0);

type Rows = number[][][];

/** Each symmetry by its definition, of rows of pixels of channels. */
const operations: Record<Symmetry, (rows: Rows, levels: number) => Rows> = {
  flipRows: (rows) => [...rows].reverse(),
  flipColumns: (rows) => rows.map((row) => [...row].reverse()),
  transpose: (rows) => (rows[0] as number[][]).map((_, c) => rows.map((row) => row[c] as number[])),
  flipLevels: (rows, levels) => rows.map((row) => row.map((pixel) => pixel.map((level) => levels - 1 - level))),
};

/** What one symmetry does to an image. */
function changed(symmetry: Symmetry, image: readonly number[], model: PortableModel): number[] {
  const [, width, channels] = model.imageShape as [number, number, number];
  const rows: Rows = [];
  for (const [i, level] of image.entries()) {
    const [row, column] = [Math.floor(i / (width * channels)), Math.floor(i / channels) % width];
    rows[row] ??= [];
    (rows[row] as number[][])[column] ??= [];
    ((rows[row] as number[][])[column] as number[]).push(level);
  }
  return operations[symmetry](rows, model.levels).flat(2);
}

/**
 * What each element of the group of a list of symmetries does to an image, in the order of their numbers: it transposes
 * first, and then flips rows, columns and levels.
 */
export function elementsSlowly(symmetries: readonly Symmetry[]): Symmetry[][] {
  const isSquare = symmetries.includes('transpose') && symmetries.some((one) => /Rows|Columns/.test(one));
  const wanted = isSquare ? [...symmetries, 'flipRows', 'flipColumns'] : symmetries;
  const bits = (['flipRows', 'flipColumns', 'transpose', 'flipLevels'] as const).filter((one) => wanted.includes(one));
  const first = (one: Symmetry) => (one === 'transpose' ? 0 : 1);
  return Array.from({ length: 2 ** bits.length }, (_, element) =>
    bits.filter((_, bit) => element & (1 << bit)).sort((a, b) => first(a) - first(b)),
  );
}

/** What an element, from {@link elementsSlowly}, does to an image. */
export const inElement = (element: readonly Symmetry[], image: readonly number[], model: PortableModel) =>
  element.reduce<number[]>((one, symmetry) => changed(symmetry, one, model), [...image]);

/**
 * The probability with which each of all images is drawn, if `rule` says how likely each level at a place is, from log p
 * of all levels there by the model, [images][values].
 */
export function densities(
  all: readonly number[][],
  perValue: readonly number[][],
  levels: number,
  rule: (logs: number[], place: number, image: number[]) => readonly number[],
): number[] {
  const total = (all[0] as number[]).length;
  return all.map((image, i) =>
    image.reduce((product, level, place) => {
      const step = levels ** (total - 1 - place); // from an image to that of the next level there
      const logs = Array.from({ length: levels }, (_, other) => (perValue[i + (other - level) * step] as number[])[place] as number);
      return product * (rule(logs, place, image)[level] as number);
    }, 1),
  );
}

export const normalized = (weights: readonly number[]) => weights.map((weight) => weight / sumOf(weights));

/** What temperature, topK and topP make of log p of levels, by their definitions. */
export function filtered(
  logs: readonly number[],
  { temperature = 1, topK = logs.length, topP = 1 }: { temperature?: number; topK?: number | undefined; topP?: number | undefined },
): number[] {
  const sharp = normalized(logs.map((x) => Math.exp((x - Math.max(...logs)) / temperature)));
  const ranks = logs.map((x, level) => logs.filter((y, other) => y > x || (y === x && other < level)).length);
  const kept = normalized(sharp.map((p, level) => ((ranks[level] as number) < topK ? p : 0)));
  // A level is kept if the likelier ones do not reach topP.
  const before = ranks.map((rank) => sumOf(kept.filter((_, other) => (ranks[other] as number) < rank)));
  return normalized(kept.map((p, level) => ((before[level] as number) < topP ? p : 0)));
}
