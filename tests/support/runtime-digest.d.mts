import type * as runtime from 'pixelcnn-layers/runtime';

export function runtimeDigest(
  of: Pick<
    typeof runtime,
    | 'compress'
    | 'createPool'
    | 'decompress'
    | 'logProb'
    | 'readPortable'
    | 'sample'
    | 'stepper'
    | 'writePortable'
  >,
  poolOptions?: runtime.PoolOptions,
): Promise<string>;
