import { ALPHABET, type WasmModule } from './modules';

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

/** The bytes that take one character. The last two characters of the alphabet add as many to the next byte, or twice. */
const SINGLE = ALPHABET.length - 2;
const FIRST_BYTE = -3; // modulo 256: 0xfd begins every SIMD instruction

/** Decodes bytes from the characters that scripts/build-kernels.mjs writes, in order of {@link ALPHABET}. */
function bytesOf(text: string): Uint8Array<ArrayBuffer> {
  const bytes: number[] = [];
  let byte = FIRST_BYTE;
  for (const character of text) {
    const place = ALPHABET.indexOf(character);
    if (place >= SINGLE) byte += (place - SINGLE + 1) * SINGLE;
    else {
      bytes.push(byte + place);
      byte = FIRST_BYTE;
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
