/**
 * Runs every test everywhere, for as long as it takes: properties with a seed of the clock and ten times as many cases,
 * each backend in Node and in Chromium, ten minutes of random models, and mutants of one folder. The seed is printed, and
 * `PROPERTY_SEED` replays it.
 *
 * Usage: node scripts/test-all.mjs [folder of src/ for mutants], after what CONTRIBUTING.md installs.
 */
import { spawnSync } from 'node:child_process';

const { PROPERTY_SEED: seed = `${Date.now() % 2 ** 31}`, PROPERTY_TIMES: times = '10' } = process.env;
const [folder = 'src/core'] = process.argv.slice(2);
const everywhere = { PROPERTY_SEED: seed, PROPERTY_TIMES: times, TEST_ALL: '1', CI: '1' };
const replay = `PROPERTY_SEED=${seed}`;

const steps = [
  ['npm run lint', {}],
  ['npm run build', {}],
  ['npx vitest run --coverage', everywhere],
  ['npx vitest run --config vitest.everywhere.config.ts', everywhere],
  ['npx vitest run tests/engine/random-models.test.ts', { PROPERTY_SEED: seed, PROPERTY_MINUTES: '10' }],
  ['npm run check:package', {}],
  [`npm run mutants -- ${folder}`, {}],
];

console.log(`${replay} npm run test:all replays this run`);
const failed = steps.filter(([command, variables]) => {
  console.log(`\n> ${command}`);
  return (
    spawnSync(command, { shell: true, stdio: 'inherit', env: { ...process.env, ...variables } }).status !== 0
  );
});
for (const [command] of failed) console.log(`FAILED, with ${replay}: ${command}`);
process.exitCode = failed.length === 0 ? 0 : 1;
