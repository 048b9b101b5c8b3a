/** A module of WebAssembly as text, see {@link bytesOf}, with the type of its exports. All work on a memory they import. */
export type WasmModule<Exports> = string & { readonly exports?: Exports };

const compiled = new Map<string, WebAssembly.Module | null>();

/**
 * Compiles a module when it is first asked for; null if WebAssembly SIMD is missing or forbidden. They are small enough
 * to compile at once.
 */
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
 * Bytes from printable characters, as scripts/build-kernels.mjs writes them: each of 90 stands for a byte from -3 on,
 * modulo 256, and two more add 90 or 180 to the byte that follows.
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

/** The functions of a module over a memory, which are made once; it must compile. */
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
