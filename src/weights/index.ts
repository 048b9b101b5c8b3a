export {
  type ActivationDifference,
  type CompareActivationsOptions,
  compareActivations,
} from './compare-activations';
export { type InterleavedOptions, interleaved } from './interleaved';
export { type LoadWeightsOptions, loadWeights } from './load-weights';
export { type NamedTensor, readSafetensors, writeSafetensors } from './named-tensor';
export { type SaveWeightsOptions, saveWeights } from './save-weights';
export type { WeightSource } from './sources';
