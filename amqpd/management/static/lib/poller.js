// Asks again and again: not while nobody looks, more rarely while there is no answer or answers are slow.

const LONGEST = 60_000;

/** Milliseconds until the next time. `interval` is what was wished for, `took` how long the last answer took. */
export function delayOf(interval, failures, took) {
  if (failures) return Math.min(LONGEST, interval * 2 ** Math.min(failures, 10));
  return Math.max(interval, Math.min(LONGEST, took * 4));
}

export class Poller {
  /**
   * `work` gets an AbortSignal and returns a promise. `told` hears of each outcome: null, or the error and the
   * milliseconds until the next attempt. An interval of 0 asks only when told to.
   */
  constructor(work, told, interval, { page = document, timers = globalThis } = {}) {
    this.work = work;
    this.told = told;
    this.interval = interval;
    this.page = page;
    this.timers = timers;
    this.failures = 0;
    this.stopped = true;
    this.timer = null;
    this.controller = null;
    this.seen = () => (this.page.hidden ? this.pause() : this.now());
  }

  start() {
    this.stopped = false;
    this.page.addEventListener("visibilitychange", this.seen);
    return this.now();
  }

  stop() {
    this.stopped = true;
    this.page.removeEventListener("visibilitychange", this.seen);
    this.pause();
  }

  /** Wait for somebody to look again. */
  pause() {
    this.timers.clearTimeout(this.timer);
    this.timer = null;
    this.controller?.abort();
    this.controller = null;
  }

  /** Ask at once; what is under way counts no more. */
  async now() {
    if (this.stopped) return;
    this.pause();
    const controller = new AbortController();
    this.controller = controller;
    const began = Date.now();
    let error = null;
    try {
      await this.work(controller.signal);
    } catch (caught) {
      error = caught;
    }
    if (this.stopped || this.controller !== controller) return;
    this.controller = null;
    this.failures = error ? this.failures + 1 : 0;
    const delay = delayOf(this.interval || 5000, this.failures, Date.now() - began);
    const again = (this.interval > 0 || error !== null) && !this.page.hidden;
    if (again) this.timer = this.timers.setTimeout(() => this.now(), delay);
    this.told(error, again ? delay : null);
  }
}
