import assert from 'node:assert/strict';

/** An error as clients throw it. A test that reads a missing code fails, as it should. */
export type Failure = Error & {
  readonly code: string;
  /** What the drivers of MySQL say of an error that ended the connection. */
  readonly fatal?: boolean;
};

/** Why a promise was rejected. If it was fulfilled, the test fails. */
export async function failureOf(promise: PromiseLike<unknown>): Promise<Failure> {
  return promise.then(
    () => assert.fail('it went through'),
    (reason) => reason,
  );
}

/** A promise of what a function hands to its callback. */
export function called<Value>(start: (done: (error: Error | null, value?: Value) => void) => void): Promise<Value> {
  return new Promise((resolve, reject) => {
    start((error, value) => (error ? reject(error) : resolve(value as Value)));
  });
}
