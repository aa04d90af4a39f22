/** Alarm: the one alarm of a Durable Object whose work is done in the background: for what is due later, and in case the instance dies first. */

/** How long after a call an alarm looks whether all that was to be done at once has been done. */
const SAFETY_MS = 10_000;

export class Alarm {
  readonly #storage: DurableObjectStorage;
  readonly #onSet: () => void;
  /** When it is set for, as far as this instance knows. */
  #armed: number | undefined;

  /** @param onSet told of each time that it is set, which is billed as a row. */
  constructor(storage: DurableObjectStorage, onSet: () => void) {
    this.#storage = storage;
    this.#onSet = onSet;
  }

  /**
   * Sets it for what is due, or, if that is now, for a little later, in case the work is never done. Called in the turn of
   * the change that made it due, so that both become durable together.
   *
   * @param due epoch milliseconds; undefined when nothing is.
   * @returns whether the work is to be done now.
   */
  promise(due: number | undefined): boolean {
    if (due === undefined) return false;
    const now = Date.now();
    void this.#arm(due <= now ? now + SAFETY_MS : due);
    return due <= now;
  }

  /** Sets it for what is due after work that no alarm had called for. */
  async next(due: number | undefined): Promise<void> {
    if (due !== undefined) await this.#arm(Math.max(due, Date.now() + 1));
  }

  /** It has gone off: none is set any more. */
  goneOff(): void {
    this.#armed = undefined;
  }

  /**
   * Does the work that it has gone off for, and sets it for what is due next, or not at all. The platform calls an alarm
   * once, and again with backoff if it fails, but not for ever: so it is set anew first.
   *
   * @param work gives when more is due, as `promise` takes it.
   */
  async serve(work: () => Promise<number | undefined>): Promise<void> {
    await this.#arm(Date.now() + SAFETY_MS);
    const due = await work();
    this.#armed = undefined;
    if (due === undefined) await this.#storage.deleteAlarm();
    else await this.next(due);
  }

  /** Unless one is set that comes sooner: each costs a row. */
  async #arm(at: number): Promise<void> {
    if (this.#armed !== undefined && this.#armed <= at && this.#armed > Date.now()) return;
    this.#armed = at;
    this.#onSet();
    await this.#storage.setAlarm(at);
  }
}
