// The LSTM of PixelRNN in plain numbers (float64), pixel by pixel, by its definition.

interface LSTMSizes {
  n: number;
  h: number;
  w: number;
  /** Groups of features, and features of each. */
  groups: number;
  size: number;
  /** Taps of the kernel: 2 along diagonals. */
  columns: number;
  path: 'rows' | 'fromLeft' | 'fromRight';
}

type Numbers = ArrayLike<number>;

const sigmoid = (x: number) => 1 / (1 + Math.exp(-x));

/** States [n,h,w,F] of z [n,h,w,4F] and a kernel [columns,F,4F]. */
export function slowLSTM(z: Numbers, kernel: Numbers, { n, h, w, groups, size, columns, path }: LSTMSizes): number[] {
  const features = groups * size;
  const [states, cells] = [new Array<number>(n * h * w * features).fill(0), new Array<number>(n * h * w * features).fill(0)];
  const beside = path === 'fromRight' ? 1 : -1;
  for (let image = 0; image < n; image++) {
    for (let r = 0; r < h; r++) {
      for (let k = 0; k < w; k++) {
        const c = path === 'fromRight' ? w - 1 - k : k;
        const pixel = (row: number, column: number) => (row < 0 || column < 0 || column >= w ? null : (image * h + row) * w + column);
        const at = pixel(r, c) as number;
        const seen =
          path === 'rows'
            ? Array.from({ length: columns }, (_, tap) => pixel(r - 1, c + tap - (columns >> 1)))
            : [pixel(r - 1, c), pixel(r, c + beside)];
        const before = path === 'rows' ? pixel(r - 1, c) : pixel(r, c + beside);
        for (let f = 0; f < features; f++) {
          const [group, i] = [Math.floor(f / size), f % size];
          const gate = (part: number) => {
            const to = (group * 4 + part) * size + i;
            let sum = z[at * 4 * features + to] as number;
            for (const [tap, from] of seen.entries()) {
              if (from === null) continue;
              for (let j = 0; j < features; j++)
                sum += (states[from * features + j] as number) * (kernel[(tap * features + j) * 4 * features + to] as number);
            }
            return sum;
          };
          const old = before === null ? 0 : (cells[before * features + f] as number);
          const cell = sigmoid(gate(1)) * old + sigmoid(gate(2)) * Math.tanh(gate(3));
          cells[at * features + f] = cell;
          states[at * features + f] = sigmoid(gate(0)) * Math.tanh(cell);
        }
      }
    }
  }
  return states;
}
