import type { Reporter, TestCase } from 'vitest/node';

/** Tells at the end which tests passed or failed only after another try. */
export class Retries implements Reporter {
  private readonly retried: string[] = [];

  onTestCaseResult(test: TestCase): void {
    const { retryCount = 0 } = test.diagnostic() ?? {};
    if (retryCount > 0) this.retried.push(`${test.module.relativeModuleId}: ${test.fullName}`);
  }

  onTestRunEnd(): void {
    console.log(['', `Tests tried again: ${this.retried.length}`, ...this.retried, ''].join('\n  '));
  }
}
