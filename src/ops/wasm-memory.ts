import { type DataId, engine, type TensorInfo } from '@tensorflow/tfjs-core';

/** What is used of the inside of tfjs's wasm backend. */
export interface WasmBackend {
  readonly wasm: { readonly asm: { readonly memory: WebAssembly.Memory } };
  readonly dataIdMap: { get(dataId: DataId): { readonly memoryOffset: number } };
  makeOutput(shape: readonly number[], dtype: 'float32'): TensorInfo;
  disposeData(dataId: DataId): boolean;
}

export const wasmBackend = () => engine().registry['wasm'] as unknown as WasmBackend;

/**
 * Tensors [shapes] that kernels fill, given their addresses and that of so many bytes to work in. Nothing is
 * left in the backend where they throw.
 */
export function filled(
  shapes: readonly (readonly number[])[],
  scratchBytes: number,
  fill: (addresses: readonly number[], scratch: number) => void,
): TensorInfo[] {
  const made: TensorInfo[] = [];
  try {
    const scratch = [Math.max(1, Math.ceil(scratchBytes / 4))]; // an empty tensor has no address
    for (const shape of [...shapes, scratch]) made.push(allocate(shape));
    const addresses = made.map(address);
    fill(addresses, addresses.at(-1) as number);
  } catch (error) {
    for (const { dataId } of made) wasmBackend().disposeData(dataId);
    throw error;
  }
  wasmBackend().disposeData((made.pop() as TensorInfo).dataId);
  return made;
}

function allocate(shape: readonly number[]): TensorInfo {
  const tensor = wasmBackend().makeOutput(shape, 'float32');
  if (address(tensor) !== 0) return tensor;
  wasmBackend().disposeData(tensor.dataId);
  throw new RangeError(`A tensor [${shape}] does not fit in the memory of the wasm backend`);
}

/** Where a tensor's numbers lie in the backend's memory, 0 for none. They do not move when it grows. */
export function address(tensor: TensorInfo | undefined): number {
  return tensor === undefined ? 0 : wasmBackend().dataIdMap.get(tensor.dataId).memoryOffset;
}
