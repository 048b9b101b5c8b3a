/** Runs `make`, which may run out of memory, and in that case says what to do. */
export function memoryFor<T>(caller: string, make: () => T): T {
  try {
    return make();
  } catch (cause) {
    if (!(cause instanceof RangeError)) throw cause;
    throw new RangeError(`${caller}: ${cause.message}; fewer images at a time need less`, { cause });
  }
}
