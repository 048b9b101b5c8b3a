/**
 * Forbids all levels but the greatest by some numbers, of equal ones the lowest: as few as together reach an amount.
 *
 * @param amountOf how much a number counts
 * @param scratch memory, as long as `numbers`
 */
export function keepGreatest(
  logProbs: Float64Array,
  numbers: Float64Array,
  amountOf: (number: number) => number,
  wanted: number,
  scratch: Float64Array,
): void {
  const [least, ties] = leastOfGreatest(scratch, numbers, amountOf, wanted);
  let numEqual = 0;
  for (let level = 0; level < numbers.length; level++) {
    const number = numbers[level] as number;
    if (number < least || (number === least && ++numEqual > ties)) logProbs[level] = -Infinity;
  }
}

/** The golden ratio, less 1. */
const GOLDEN = (Math.sqrt(5) - 1) / 2;

/**
 * The least number that is kept, and how many equal ones are. Divides the numbers into those greater than one of them,
 * equal and less, and goes on with the part in which the amount is reached, so that nothing need be sorted.
 *
 * Source: Hoare, "Algorithm 65: FIND" (1961), https://doi.org/10.1145/366622.366647
 */
function leastOfGreatest(
  some: Float64Array,
  numbers: Float64Array,
  amountOf: (number: number) => number,
  wanted: number,
): [least: number, ties: number] {
  some.set(numbers);
  let from = 0;
  let to = numbers.length;
  let reached = 0; // by the greater numbers, which lie before `from`
  let share = 0.5; // where the next pivot is: at places without a pattern, as the middle is often the greatest number
  for (;;) {
    share = (share + GOLDEN) % 1;
    const pivot = some[from + Math.floor(share * (to - from))] as number;
    let greater = from; // where the greater ones end
    let less = to; // where the lesser ones begin
    let amount = reached;
    for (let i = from; i < less; ) {
      const number = some[i] as number;
      if (number > pivot) {
        some[i++] = some[greater] as number;
        some[greater++] = number;
        amount += amountOf(number);
      } else if (number < pivot) {
        some[i] = some[--less] as number;
        some[less] = number;
      } else i++;
    }
    if (amount >= wanted) {
      to = greater;
      continue;
    }
    let ties = 0;
    for (; amount < wanted && ties < less - greater; ties++) amount += amountOf(pivot);
    if (amount >= wanted || less === to) return [pivot, ties];
    reached = amount;
    from = less;
  }
}
