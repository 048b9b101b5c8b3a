/** Makes what may need more memory than there is: then says what to do. */
export function memoryFor<T>(caller: string, make: () => T): T {
  try {
    return make();
  } catch (cause) {
    if (!(cause instanceof RangeError)) throw cause;
    throw new RangeError(`${caller}: ${cause.message}; fewer images at a time need less`, { cause });
  }
}
