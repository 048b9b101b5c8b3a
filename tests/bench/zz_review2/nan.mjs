// Ctrl-C right after a step whose update broke the weights (loss itself finite)
import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
const preload = '/tmp/zz/pre.mjs';
import { writeFileSync } from 'node:fs';
writeFileSync(preload, `
import * as tf from '/work/main/node_modules/@tensorflow/tfjs-core/dist/tf-core.node.js';
`);
