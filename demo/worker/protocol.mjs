/**
 * What the page and its workers say to each other.
 *
 * The page sends a job with a number of its own; the worker answers with any number of reports, then once with a result or an error. Jobs of a worker
 * run one after the other. A job is cancelled by its number, also before it has begun; training that is cancelled ends with a result, all others with
 * an error named AbortError.
 *
 * There are two workers: the engine (engine.mjs), which draws, measures and compresses with the page's models, without tfjs; and the one that trains
 * (tfjs.mjs).
 *
 * @typedef {'webgpu' | 'webgl' | 'wasm' | 'cpu'} Backend
 * @typedef {'clothes' | 'digits-28' | 'binarized-mnist' | 'digits-conditional' | 'characters' | 'characters-small' |
 *   'syllables-16' | 'syllables-gated' | 'mine'} ModelName the page names the visitor's own network `mine`; to the engine it is the address of its file
 * @typedef {'plain' | 'gated'} Network
 * @typedef {'digits' | 'syllables' | 'drawings'} SetName
 *
 * @typedef {{ id: number, job: Job } | { id: number, cancel: true } | { isRead: true }} ToWorker
 * `isRead`: the page has shown the oldest report that it had not
 * @typedef {{ id: number, report: object } | { id: number, result: object, tensors?: number } | { id: number, error: Failure }} FromWorker
 * `tensors`: how many tfjs holds after the job, where it is there
 * @typedef {{ name: string, message: string, isLost: boolean }} Failure
 * `isLost`: the worker could not start its backend and is of no more use
 * @typedef {{ signal: AbortSignal, report: (what: object) => Promise<void> }} Context of a job; a report is done once the page has read it,
 * for which training waits: a page under load falls behind otherwise
 *
 * @typedef {SampleJob | NextJob | LikelihoodJob | ClassifyJob | CompressJob | DecompressJob | PngJob | MagnetJob | InsideJob |
 *   DependsJob | ConformanceJob} EngineJob
 * @typedef {TrainJob | DrawJob | SaveJob | LoadJob | ForgetJob | WriteJob} TfjsJob
 * @typedef {EngineJob | TfjsJob} Job
 *
 * Jobs of the engine. `condition` and `classes` are there where the model takes a class; that of a syllable is its number in Unicode, from 0.
 *
 * @typedef {object} SampleJob draws images. Reports `{ done, levels }`; result `{ levels, seconds }`
 * @property {'sample'} kind
 * @property {ModelName | 'digits-orders' | 'characters-columns' | 'tiles'} model
 * @property {number} numImages
 * @property {number} seed
 * @property {number} [temperature]
 * @property {number} [topK]
 * @property {number[]} [classes] one an image
 * @property {{ levels: Uint8Array, known: Uint8Array }} [given] of one image, the same for all; `known` is 1 for values to keep
 * @property {number} [rows] of each image, from the top: all unless it says fewer
 * @property {number} [lookAhead] so many particles an image: what is drawn then also fits what is given below it
 *
 * @typedef {{ kind: 'next', model: ModelName, values: number[], condition?: number }} NextJob
 * how likely each level of the value after `values` is. Result `{ place, probabilities }`, [row, column, channel] and [L]; null after the last
 *
 * @typedef {{ kind: 'likelihood', model: ModelName, levels: Uint8Array, condition?: number }} LikelihoodJob
 * bits of each value of one image. Result `{ bits, probabilities }`, [H*W*C] and [H*W*C*L]
 *
 * @typedef {{ kind: 'classify', model: ModelName, levels: Uint8Array, numClasses: number, besideBackground?: boolean }} ClassifyJob
 * log p of one image given each class; and by the model's background model where that is asked for, else null. Result `{ nats, background }`,
 * [numClasses] and a number
 *
 * @typedef {{ kind: 'compress', model: ModelName, levels: Uint8Array, condition?: number }} CompressJob
 * the file of one image, which holds its class. Result `{ bytes }`
 *
 * @typedef {{ kind: 'decompress', model: ModelName, bytes: Uint8Array, condition?: number }} DecompressJob
 * `condition` is asked for where the file does not hold it. Result `{ levels, numImages }`
 *
 * @typedef {{ kind: 'png', shape: [number, number, number], numLevels: number, levels: Uint8Array }} PngJob
 * the smallest PNG of one image that OxiPNG finds. Result `{ bytes }`
 *
 * @typedef {{ kind: 'magnet', temperature: number, numImages: number, seed: number }} MagnetJob
 * draws images of spins. Result `{ levels }`
 *
 * @typedef {{ kind: 'inside', model: ModelName, levels: Uint8Array, pixel: number, condition?: number }} InsideJob
 * looks into a gated network of one-channel images while it decides about a pixel, given the levels before it. Result `{ nodes, output, weights,
 * values }`: of the portable model, and what each node computes, `values[node][pixel][channel]`, NaN where that depends on later pixels
 *
 * @typedef {{ kind: 'depends', model: ModelName, levels: Uint8Array, pixel: number, condition?: number }} DependsJob
 * the logits of a pixel, were one of the pixels before it of the opposite level. Result `{ changed }`: for each of these [L],
 * or null where the network does not see it
 *
 * @typedef {{ kind: 'conformance', withWebAssembly: boolean }} ConformanceJob
 * compares the results of a list of models with the digests that another machine has made. Reports `{ done, total }`; result `{ count, different,
 * seconds }`, of which `different` has names; a count of 0 where this browser has no WebAssembly
 *
 * Jobs of the worker that trains, on `backend` where they compute.
 *
 * @typedef {{ set: SetName, shape: [number, number, number], levels: number, networks: Network[], width: number, depth: number }} RunSettings what
 * is trained, on what: each network sees the same images in the same order. `width`: features in the middle of a block; `depth`: blocks
 * @typedef {{ training: [number, number][], test: [number, number][] }} Curve steps, and bits/dim: of training images, an average over about the
 * last 50 steps; and of test images, where there are some
 * @typedef {{ step: number, levels: Uint8Array[] }} Samples of each network of a run
 *
 * @typedef {object} TrainJob trains the worker's run, a new one where it has none. Reports and result are of {@link Progress}
 * @property {'train'} kind
 * @property {Backend} backend
 * @property {RunSettings} settings of the run
 * @property {Uint8Array | null} drawings to train on, where the set is of the visitor's own
 * @property {number} cores of the visitor's machine
 *
 * @typedef {object} Progress
 * @property {number} step
 * @property {Curve[]} curves of each network
 * @property {Samples | null} samples where they are new
 * @property {number} cores that train
 *
 * @typedef {{ kind: 'draw', backend: Backend, seed: number }} DrawJob draws with the worker's run. Result {@link Samples}
 * @typedef {{ kind: 'save', backend: Backend }} SaveJob keeps the worker's run in IndexedDB. Result {@link Saved}
 * @typedef {{ kind: 'load', backend: Backend }} LoadJob takes the run kept there. Result {@link Saved} and `{ settings, curves }`
 * @typedef {{ kind: 'forget', backend: Backend }} ForgetJob drops the worker's run, not the kept one. Result `{}`
 * @typedef {{ kind: 'write', backend: Backend }} WriteJob makes a file of the run's last network, for the engine. Result `{ bytes }`
 * @typedef {{ step: number, date: string }} Saved
 */

/** How many images a training report's samples have. */
export const TRAINING_SAMPLES = 16;

/** What the run that is kept in this browser is called there. */
export const KEPT_NAME = 'pixelcnn-layers-run';
