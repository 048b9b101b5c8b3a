import type { WasmModule } from '../../../src/runtime/kernels/modules';
import * as modules from '../../../src/runtime/kernels/modules';
import { compileModule, exportsOf } from '../../../src/runtime/kernels/wasm-module';

/**
 * The functions of all modules for training, over a memory: with fused multiplications and additions where
 * this engine has them, or without.
 */
export function trainingLoops(memory: WebAssembly.Memory, isFused = true) {
  const of = <Loops>(module: WasmModule<Loops>) => exportsOf(module, memory);
  const { gate: glu, gateBack: gluBack } = of(modules.GLU);
  const either = <Loops>(fused: WasmModule<Loops>, plain: WasmModule<Loops>) =>
    of(isFused && compileModule(fused) !== null ? fused : plain);
  return {
    ...of(modules.CAUSAL_ATTENTION),
    ...of(modules.CAUSAL_ATTENTION_BACK),
    ...of(modules.CONCAT_ELU),
    ...either(modules.CONVOLUTION_FUSED, modules.CONVOLUTION),
    ...either(modules.CORRELATION_FUSED, modules.CORRELATION),
    ...of(modules.CROSS_ENTROPY),
    ...of(modules.GATE),
    ...of(modules.DEPTHWISE),
    ...of(modules.LAYER_NORM),
    ...of(modules.LOGISTIC_MIXTURE),
    ...of(modules.LSTM),
    ...of(modules.LSTM_BACK),
    ...of(modules.NORMALIZED_KERNEL),
    glu,
    gluBack,
  };
}
