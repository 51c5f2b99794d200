/** Keeps the network's events coming while the live view is open. */

export class EventsFollower {
  #view;
  #changed;
  #followed = new Map();

  /** Subscribe by `view`; `changed()` is called when what is refused may have changed. */
  constructor(view, changed) {
    this.#view = view;
    this.#changed = changed;
  }

  /** Follow these pairs of entry and device ID (null: the application's events), and no others. */
  follow(wanted) {
    const keys = new Set(wanted.map(String));
    for (const [key, { subscription }] of this.#followed)
      if (!keys.has(key)) {
        this.#view.unsubscribe(subscription);
        this.#followed.delete(key);
      }
    for (const pair of wanted) if (!this.#followed.has(String(pair))) this.#add(pair);
  }

  /** Return pairs of entry and error of the applications whose events are refused. */
  get refused() {
    return [...this.#followed.values()]
      .filter(({ pair: [, device], state }) => device === null && state.state === "refused")
      .map(({ pair: [entry], state }) => [entry, state.error]);
  }

  #add(pair) {
    const [entry_id, device_id] = pair;
    const one = { pair, state: {} };
    this.#followed.set(String(pair), one);
    one.subscription = this.#view.subscribe(
      { type: "thethingsstack/traffic/follow_events", entry_id, device_id },
      (state) => {
        one.state = state;
        this.#changed();
      },
    );
    one.subscription.catch(() => this.#followed.delete(String(pair)));
  }
}
