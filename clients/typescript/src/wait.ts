import type { Fault } from './answer.ts';

/** The first wait, in milliseconds. */
const FIRST_WAIT = 100;

/** How long to wait before the next try: longer after each failure, a random part of it, and never less than was asked. */
export class Wait {
  readonly #longest: number;
  #failures = 0;

  constructor(longest: number) {
    this.#longest = longest;
  }

  after(fault: Fault): number {
    const longest = Math.min(FIRST_WAIT * 2 ** this.#failures, this.#longest);
    this.#failures += 1;
    return Math.max(longest * (0.5 + Math.random() / 2), fault.retryAfterMs ?? 0);
  }

  isOver(): void {
    this.#failures = 0;
  }
}
