// Limits that kernels share with other implementations. AssemblyScript reads this file too, and takes it for i32.

/** The smallest log scale of a mixture of logistics; lower ones are clamped. */
export const MIN_LOG_SCALE = -7;
