/**
 * Reports progress to a user's function. If it returns a promise, waits for it, so that its failure ends the job.
 *
 * @throws (rejects) with what the function throws or rejects with; with the signal's reason, if it aborts first
 */
export async function reportProgress<Progress>(
  onProgress: (progress: Progress) => unknown,
  progress: Progress,
  signal?: AbortSignal,
): Promise<void> {
  const result = onProgress(progress);
  if (typeof (result as PromiseLike<unknown> | null | undefined)?.then !== 'function') return;
  await new Promise((resolve, reject) => {
    const abort = () => reject(signal?.reason);
    if (signal?.aborted) abort();
    signal?.addEventListener('abort', abort);
    Promise.resolve(result)
      .then(resolve, reject)
      .finally(() => signal?.removeEventListener('abort', abort));
  });
}
