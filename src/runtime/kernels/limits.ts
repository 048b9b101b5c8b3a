// Limits that kernels share with other implementations. AssemblyScript compiles this file too, with numbers as i32.

/** The smallest log scale of a mixture of logistics; lower ones are clamped. */
export const MIN_LOG_SCALE = -7;
