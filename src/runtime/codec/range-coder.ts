// A range coder, which encodes symbols as a number whose digits are bytes. Each symbol narrows an interval [low, low +
// range) in proportion to its frequency. Numbers stay below 2^53, so JavaScript represents them exactly.
//
// Source: Martin, "Range encoding: an algorithm for removing redundancy from a digitised message" (1979).

/** The sum of the frequencies of all symbols. */
export const TOTAL = 2 ** 28;

/** Intervals lie in [0, 2^48), and are wider than 2^40 whenever a symbol is coded. */
const WHOLE = 2 ** 48;
const NARROW = 2 ** 40;

/** The number of bytes that a decoder holds. */
const WIDTH_BYTES = 6;

/** Encodes symbols as bytes. */
export class RangeEncoder {
  private readonly bytes: number[] = [];
  private low = 0;
  private range = WHOLE;

  /** Encodes a symbol, given its frequency and the total frequency of the symbols before it, out of {@link TOTAL}. */
  encode(before: number, frequency: number): void {
    const unit = Math.floor(this.range / TOTAL);
    const start = unit * before;
    this.low += start;
    this.range = before + frequency === TOTAL ? this.range - start : unit * frequency; // the last symbol takes the rest
    if (this.low >= WHOLE) {
      this.carry();
      this.low -= WHOLE;
    }
    while (this.range <= NARROW) {
      this.bytes.push(Math.floor(this.low / NARROW));
      this.low = (this.low % NARROW) * 256;
      this.range *= 256;
    }
  }

  /** Ends the code with a number in the interval whose further digits are zeros, which need not be stored. */
  finish(): Uint8Array {
    const digit = Math.ceil(this.low / NARROW); // the interval is wider than that
    if (digit === 256) this.carry();
    else this.bytes.push(digit);
    while (this.bytes.at(-1) === 0) this.bytes.pop();
    return Uint8Array.from(this.bytes);
  }

  /** Adds 1 to the digits written so far. */
  private carry(): void {
    let last = this.bytes.length - 1;
    for (; this.bytes[last] === 255; last--) this.bytes[last] = 0;
    this.bytes[last] = (this.bytes[last] as number) + 1;
  }
}

/** Reads symbols from the bytes of a {@link RangeEncoder}. */
export class RangeDecoder {
  private next = 0;
  private range = WHOLE;
  /** The code minus the start of the interval. */
  private offset = 0;
  private unit = 0;

  constructor(private readonly bytes: Uint8Array) {
    for (let i = 0; i < WIDTH_BYTES; i++) this.offset = 256 * this.offset + this.read();
  }

  /** Returns a number in [before, before + frequency) of the next symbol, which identifies it. */
  target(): number {
    this.unit = Math.floor(this.range / TOTAL);
    return Math.min(TOTAL - 1, Math.floor(this.offset / this.unit));
  }

  /** Consumes the symbol that was found at the target. */
  take(before: number, frequency: number): void {
    const start = this.unit * before;
    this.offset -= start;
    this.range = before + frequency === TOTAL ? this.range - start : this.unit * frequency;
    while (this.range <= NARROW) {
      this.offset = 256 * this.offset + this.read();
      this.range *= 256;
    }
  }

  private read(): number {
    return this.bytes[this.next++] ?? 0;
  }
}
