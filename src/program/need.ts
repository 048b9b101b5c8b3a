/** Sets of a node's features. Few different ones occur, so each has a number, and what is done with it is done once. */
export class FeatureSets {
  /** 1 for each feature in a set; set 0 is empty. */
  private readonly sets: Uint8Array[] = [];
  private readonly numbers = new Map<string, number>();
  /** By both numbers. */
  private readonly unions = new Map<number, number>();

  constructor(readonly features: number) {
    this.numberOf(() => false);
  }

  numberOf(isIn: (feature: number) => boolean): number {
    const set = Uint8Array.from({ length: this.features }, (_, feature) => Number(isIn(feature)));
    const key = set.join('');
    const known = this.numbers.get(key) ?? this.sets.push(set) - 1;
    this.numbers.set(key, known);
    return known;
  }

  has(set: number, feature: number): boolean {
    return this.sets[set]?.[feature] === 1;
  }

  featuresOf(set: number): number[] {
    return Array.from({ length: this.features }, (_, feature) => feature).filter((f) => this.has(set, f));
  }

  union(a: number, b: number): number {
    if (a === b || b === 0) return a;
    if (a === 0) return b;
    const key = a * 2 ** 26 + b;
    const known =
      this.unions.get(key) ?? this.numberOf((feature) => this.has(a, feature) || this.has(b, feature));
    this.unions.set(key, known);
    return known;
  }
}

/** What is needed of a node: a set of features at each place, [height,width]. */
export class Need {
  readonly features: FeatureSets;
  private readonly sets: Uint32Array;

  constructor(
    readonly height: number,
    readonly width: number,
    numFeatures: number,
  ) {
    this.features = new FeatureSets(numFeatures);
    this.sets = new Uint32Array(height * width);
  }

  /** The set of a place. */
  at(row: number, column: number): number {
    return this.sets[row * this.width + column] as number;
  }

  /** Adds a set of features, if the place lies in the image: the zeros around it depend on nothing. */
  add(row: number, column: number, set: number): void {
    if (row < 0 || row >= this.height || column < 0 || column >= this.width) return;
    const place = row * this.width + column;
    this.sets[place] = this.features.union(this.sets[place] as number, set);
  }

  /** Calls a function for each place where something is needed. */
  each(act: (row: number, column: number, set: number) => void): void {
    for (const [place, set] of this.sets.entries()) {
      if (set > 0) act(Math.floor(place / this.width), place % this.width, set);
    }
  }
}

/** A function of sets that is computed once for each. */
export function oncePerSet<T>(of: (set: number) => T): (set: number) => T {
  const known = new Map<number, T>();
  return (set) => {
    if (!known.has(set)) known.set(set, of(set));
    return known.get(set) as T;
  };
}
