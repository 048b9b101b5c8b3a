const FACTORS = [0x239b961b, 0xab0e9789, 0x38b34ae5, 0xa1e38b93] as const;

const rotated = (x: number, by: number) => (x << by) | (x >>> (32 - by));

const mixed = (word: number, factor: number, rotation: number, next: number) =>
  Math.imul(rotated(Math.imul(word, factor), rotation), next);

const stepped = (word: number, rotation: number, other: number, term: number) =>
  (Math.imul(rotated(word, rotation) + other, 5) + term) | 0;

/**
 * A digest that detects accidental differences: MurmurHash3, x86, 128 bits, seed 0. Bytes may be added in any parts.
 *
 * Source: Appleby, https://github.com/aappleby/smhasher, `MurmurHash3_x86_128`.
 */
export class Digest {
  private readonly state = new Int32Array(4);
  private readonly block = new Uint8Array(16);
  private length = 0;

  add(bytes: Uint8Array): this {
    const { block } = this;
    const filled = this.length & 15;
    const from = -filled & 15; // how many bytes complete the block
    block.set(bytes.subarray(0, from), filled);
    this.length += bytes.length;
    if (bytes.length < from) return this;
    if (from > 0) this.takeBlocks(block);
    const end = bytes.length - (this.length & 15);
    this.takeBlocks(bytes.subarray(from, end));
    block.set(bytes.subarray(end));
    return this;
  }

  /** The digest, 16 bytes. No bytes can be added afterwards. */
  finish(): Uint8Array {
    const { state, block } = this;
    const words = new Int32Array(block.fill(0, this.length & 15).buffer); // zeros change nothing
    for (let i = 0; i < 4; i++) {
      const word = mixed(words[i] as number, FACTORS[i] as number, 15 + i, FACTORS[(i + 1) & 3] as number);
      state[i] = (state[i] as number) ^ word ^ this.length;
    }
    mixAll(state);
    for (let i = 0; i < 4; i++) state[i] = avalanche(state[i] as number);
    mixAll(state);
    return new Uint8Array(state.buffer);
  }

  /** Takes bytes of whole blocks. Keeping the state in local variables makes this several times as fast. */
  private takeBlocks(bytes: Uint8Array): void {
    const words = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
    const [f, g, h, k] = FACTORS;
    let [a, b, c, d] = this.state as unknown as [number, number, number, number];
    for (let at = 0; at < bytes.length; at += 16) {
      a = stepped(a ^ mixed(words.getInt32(at, true), f, 15, g), 19, b, 0x561ccd1b);
      b = stepped(b ^ mixed(words.getInt32(at + 4, true), g, 16, h), 17, c, 0x0bcaa747);
      c = stepped(c ^ mixed(words.getInt32(at + 8, true), h, 17, k), 15, d, 0x96cd1c35);
      d = stepped(d ^ mixed(words.getInt32(at + 12, true), k, 18, f), 13, a, 0x32ac3b17);
    }
    this.state.set([a, b, c, d]);
  }
}

/** Adds the other words to the first, and then the first to each of them. */
function mixAll(state: Int32Array): void {
  for (let i = 1; i < 4; i++) state[0] = (state[0] as number) + (state[i] as number);
  for (let i = 1; i < 4; i++) state[i] = (state[i] as number) + (state[0] as number);
}

function avalanche(word: number): number {
  let h = Math.imul(word ^ (word >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return h ^ (h >>> 16);
}
