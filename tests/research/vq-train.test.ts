import { existsSync, readdirSync } from 'node:fs';
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { PNG } from 'pngjs';
import { beforeAll, describe, expect, it } from 'vitest';
import { type EndedInTurn, itRefuses, runScript, startScript, stopped } from '../examples/run-script';
import { temporaryFolder } from '../support/node/temporary-folder';

/** On the embedded digits, 8x8: 2x2 codes. */
const SMALL =
  '--data digits --steps 60 --prior-steps 40 --filters 8 --entries 16 --code-size 4 --prior-filters 16 --prior-blocks 1 --batch 16 --every 10 --eval-images 60 --rows 2';

type Figures = Record<'testImages' | 'rms' | 'unexplained' | 'used' | 'perplexity', number> & { bits: Record<string, number> };

const directory = temporaryFolder();
/** A run that nothing stopped. */
let whole: string;
let ended: EndedInTurn;
beforeAll(async () => {
  whole = join(directory, 'whole');
  ended = await run(`${SMALL} --out ${whole}`);
});

const run = (flags: string) => runScript('research/vq/train.mjs', flags.split(' '));
const read = (out: string, file: string) => readFile(join(out, file));
const figuresOf = async (out: string): Promise<Figures> => JSON.parse(String(await read(out, 'figures.json')));

/** All that a run is for: its figures, its pictures and its codes. */
const RESULTS = ['figures.json', 'reconstructions.png', 'samples.png', 'codes/train.npy', 'codes/test.npy'];
const results = (out: string) => Promise.all(RESULTS.map(async (file) => (await read(out, file)).toString('base64')));

/** Runs until it is time to stop; what it printed. */
const runUntil = (out: string, flags: string, isTime: () => boolean, signal?: 'SIGINT') =>
  stopped(startScript('research/vq/train.mjs', [...flags.split(' '), '--out', out]), isTime, signal);

describe('research/vq/train.mjs', () => {
  it('trains, measures and draws, and leaves no tensor behind', async () => {
    const { code, stdout, stderr, tensorsLeft } = ended;
    expect([code, stderr, tensorsLeft]).toEqual([0, '', 0]);
    const figures = await figuresOf(whole);
    expect(figures.testImages).toBe(60);
    expect(figures.bits['uniform']).toBe(4); // of 16 entries
    for (const bits of Object.values(figures.bits)) expect(bits).toBeGreaterThan(0);
    expect(figures.used).toBeGreaterThan(1);
    expect(figures.perplexity).toBeLessThanOrEqual(figures.used);
    expect(figures.rms).toBeGreaterThan(0);
    expect(stdout).toContain(`${figures.rms.toFixed(1)} of 16 levels`);
    for (const [name, bits] of Object.entries(figures.bits)) {
      const ofPixel = bits / 16; // 4 codes for 64 pixels
      expect(stdout).toMatch(new RegExp(`^${name} +${bits.toFixed(3)} +${ofPixel.toFixed(3)}$`, 'm'));
    }
  });

  it('writes its pictures, a column for each class', async () => {
    const side = (images: number) => images * (2 * 8 + 2) + 2; // pixels enlarged to 2, gaps of 2
    for (const [file, rows] of Object.entries({ 'reconstructions.png': 6, 'samples.png': 2 })) {
      const { width, height } = PNG.sync.read(await read(whole, file));
      expect([width, height]).toEqual([side(10), side(rows)]);
    }
    const files = await readdir(whole, { recursive: true });
    expect(files.filter((name) => /tmp|lock/.test(name))).toEqual([]);
  });

  it('goes on after kills in every stage as if there had been none', async () => {
    const out = join(directory, 'killed');
    const step = (stage: string, least: number) => () => {
      const names = existsSync(join(out, stage)) ? readdirSync(join(out, stage)) : [];
      return names.some((name) => Number(/^step-(\d+)$/.exec(name)?.[1] ?? 0) >= least);
    };
    await runUntil(out, SMALL, step('vq-vae', 20));
    await runUntil(out, '--resume', () => existsSync(join(out, 'codes.tmp')) || existsSync(join(out, 'codes')));
    await runUntil(out, '--resume', step('prior', 20));
    for (const name of ['figures.json.77.tmp', 'samples.png.77.tmp']) await writeFile(join(out, name), '');
    await mkdir(join(out, 'codes.tmp'), { recursive: true }); // as a kill while codes are written leaves it
    const { code, stdout } = await run(`--resume --workers 3 --out ${out}`);
    expect(code).toBe(0);
    expect(stdout).toMatch(/, 3 workers\ncontinues after step [1234]0\n/);
    expect(await results(out)).toEqual(await results(whole));
    expect((await readdir(out)).sort()).toEqual((await readdir(whole)).sort());
  });

  it('saves and ends at Ctrl-C', async () => {
    const out = join(directory, 'interrupted');
    const { code, stdout } = await runUntil(out, SMALL, () => existsSync(join(out, 'vq-vae')), 'SIGINT');
    expect(stdout).toContain(`stopped; --resume --out ${out} continues`);
    expect(code).toBe(0);
    expect((await run(`--resume --out ${out}`)).stdout).toMatch(/continues after step \d+\n/);
    expect(await results(out)).toEqual(await results(whole));
  });

  const refused = (flags: string) => ['research/vq/train.mjs', ...flags.split(' ')];
  itRefuses(
    [
      ["--prior-filters: wanted a multiple of 16, got '24'", refused('--prior-filters 24')],
      ['--data: wanted digits, fashion-mnist', refused('--data shoes')],
      ["--workers: comes with --backend wasm, got 'cpu'", refused('--backend cpu --workers 2 --out DIRECTORY/new')],
      ['emoji has no classes', refused('--data emoji --out DIRECTORY/new')],
      ['wanted images of a height and width that 4 divides, npy has 2x2', refused('--data npy --path WHOLE/codes --out DIRECTORY/new')],
      ['--out: WHOLE holds a run; --resume continues it', refused('--out WHOLE')],
      ['--resume: there is no run in DIRECTORY/none', refused('--resume --out DIRECTORY/none')],
    ],
    () => ({ DIRECTORY: directory, WHOLE: whole }),
  );
});
