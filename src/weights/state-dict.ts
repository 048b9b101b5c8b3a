import { sizeFromShape } from '../runtime/core/check';
import { type ModelWeight, type Origin, permuted } from './model-weights';
import type { Repository } from './repositories';
import { normalizedOrigin } from './weight-norm';

/** What PyTorch's wrappers add to names: DistributedDataParallel in front, torch.compile also before an inner module. */
const ADDED = /^(?:(?:module|_orig_mod)\.)+|(?<=\.)_orig_mod\./g;

/** Buffers, which are not weights: masks, positions, counts. */
const BUFFER = /(?:^|\.)(?:mask|background|num_batches_tracked|n_averaged)$/;

/** The name of a tensor without what wrappers add to it; null if it is no weight. */
export function unwrappedName(name: string, { prefix, ignored }: Partial<Repository> = {}): string | null {
  const own = name.replaceAll(ADDED, '').replace(prefix ?? '', '');
  return BUFFER.test(own) || ignored?.test(own) ? null : own;
}

/** Finds the tensors of a state dict that each weight of a model is computed from; null for weights that it does not have. */
export function originsIn(repository: Repository, weights: readonly ModelWeight[]): (Origin | null)[] {
  const { known, linear, inputsFirst, normalizedAnew } = repository;
  const names = weights.map(({ name }) => nameIn(repository, name, weights));
  return weights.map((weight, i): Origin | null => {
    const name = names[i] as string;
    if (known?.test(name) === false) return null;
    const areInputsFirst = inputsFirst?.test(name) ?? false;
    if (!/\.weight_[vg]$/.test(name)) {
      const sameName = weights.filter((_, k) => names[k] === name);
      return rowsOrigin(name, weight, sameName, areInputsFirst);
    }
    if (weight.kernel === null) return null;
    const features = areInputsFirst ? [2, 3] : [3, 2]; // of [rows,columns,in,out]
    const order = linear?.test(name) ? features : [...features, 0, 1];
    return normalizedOrigin(name, weight.role, weight.kernel, order, normalizedAnew?.test(name) ?? false);
  });
}

/** The name of a weight there. */
function nameIn({ names }: Repository, name: string, weights: readonly ModelWeight[]): string {
  const theirs = names.reduce((old, [pattern, replacement]) => old.replace(pattern, replacement), name);
  return theirs.replace(/<(\w+)>/, (_, n: string) => {
    const layers = new Set(weights.map(({ layer }) => layer).filter((layer) => layer.startsWith(n)));
    return String((/^\d/.test(n) ? Number(n) : layers.size) + 1);
  });
}

/** A weight as rows of a matrix, below those of the weights before it that have the same name there. */
function rowsOrigin(
  name: string,
  weight: ModelWeight,
  sameName: readonly ModelWeight[],
  areInputsFirst: boolean,
): Origin {
  const isKernel = weight.role === 'kernel';
  const isTable = sameName.some(({ role }) => role === 'embeddings');
  const columns = (isKernel ? weight.shape.at(-2) : isTable ? weight.shape.at(-1) : 1) as number;
  const rowsOf = (some: readonly ModelWeight[]) =>
    some.reduce((rows, { shape }) => rows + sizeFromShape(shape) / columns, 0);
  const [first, own, rows] = [
    rowsOf(sameName.slice(0, sameName.indexOf(weight))),
    rowsOf([weight]),
    rowsOf(sameName),
  ];
  const isTurned = isKernel && areInputsFirst;
  const matrix = isTurned ? [columns, rows] : [rows, columns];
  return {
    parts: [{ name, shape: isKernel || isTable ? matrix : [rows] }],
    make(numbers) {
      const byRow = isTurned ? permuted(numbers, matrix, [1, 0]) : numbers;
      const ours = byRow.slice(first * columns, (first + own) * columns);
      return isKernel ? permuted(ours, [own, columns], [1, 0]) : ours; // [out,in] -> [in,out]
    },
  };
}
