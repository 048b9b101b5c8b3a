/** What can be painted with: levels by name, for grey images of 17 levels and RGB images of 32. */
export const PALETTES = {
  1: [
    { name: 'paper', values: [0] },
    { name: 'light grey', values: [4] },
    { name: 'grey', values: [8] },
    { name: 'dark grey', values: [12] },
    { name: 'ink', values: [16] },
  ],
  3: [
    { name: 'white', values: [31, 31, 31] },
    { name: 'black', values: [2, 2, 2] },
    { name: 'red', values: [29, 8, 7] },
    { name: 'orange', values: [31, 19, 4] },
    { name: 'yellow', values: [31, 26, 7] },
    { name: 'green', values: [10, 22, 8] },
    { name: 'blue', values: [5, 16, 28] },
    { name: 'brown', values: [15, 10, 8] },
  ],
};
