/** A WebAssembly module as text (see {@link bytesOf}), with the type of its exports. Modules import their memory. */
export type WasmModule<Exports> = string & { readonly exports?: Exports };

const compiled = new Map<string, WebAssembly.Module | null>();

/** Compiles a small module, synchronously and once. Null if WebAssembly SIMD is missing or forbidden. */
export function compileModule(text: string): WebAssembly.Module | null {
  let module = compiled.get(text);
  if (module === undefined) {
    try {
      module = new WebAssembly.Module(bytesOf(text));
    } catch {
      module = null;
    }
    compiled.set(text, module);
  }
  return module;
}

/**
 * Decodes bytes from the printable characters that scripts/build-kernels.mjs writes: each of 90
 * characters stands for a byte from -3 on, modulo 256, and two more add 90 or 180 to the next byte.
 */
function bytesOf(text: string): Uint8Array<ArrayBuffer> {
  const bytes: number[] = [];
  let added = 0;
  for (const character of text) {
    const byte = character.charCodeAt(0) - 38;
    if (byte >= 87) added = 90 * (byte - 86);
    else {
      bytes.push(byte + added);
      added = 0;
    }
  }
  return Uint8Array.from(bytes);
}

const instances = new WeakMap<WebAssembly.Memory, Map<string, unknown>>();

/** The functions of a module over a memory, instantiated once. The module must compile. */
export function exportsOf<Exports>(module: WasmModule<Exports>, memory: WebAssembly.Memory): Exports {
  const made = instances.get(memory) ?? new Map<string, unknown>();
  instances.set(memory, made);
  if (!made.has(module)) {
    const { exports } = new WebAssembly.Instance(compileModule(module) as WebAssembly.Module, {
      env: { memory },
    });
    made.set(module, exports);
  }
  return made.get(module) as Exports;
}
