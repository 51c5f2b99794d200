/** A list of which only the rows in view are in the document. */

const BEYOND = 6;

export class VirtualList {
  #items = [];
  #elements = new Map();
  #shown = new Map();
  #height;
  #frame;

  /**
   * `scroller` scrolls, `content` is in it and takes the rows; `create()` returns a new row,
   * `fill(element, item, index)` shows an item in it, `onview(items)` gets the items in view.
   * Each item has an `id`.
   */
  constructor({ scroller, content, height, create, fill, onview }) {
    Object.assign(this, { scroller, content, create, fill, onview });
    this.#height = height;
    content.style.position = "relative";
    scroller.addEventListener("scroll", () => this.#later(), { passive: true });
    new ResizeObserver(() => this.#later()).observe(scroller);
  }

  get items() {
    return this.#items;
  }

  set items(items) {
    this.#items = items;
    this.content.style.height = `${items.length * this.#height}px`;
    this.#later();
  }

  set height(height) {
    if (height === this.#height) return;
    this.#height = height;
    this.items = this.#items;
  }

  /** Show the rows in view once more, though their items are the same. */
  refresh() {
    this.#shown.clear();
    this.#later();
  }

  /** Scroll so that the item with this index is in view, and return its row. */
  reveal(index) {
    const top = index * this.#height;
    const room = this.scroller.clientHeight - this.content.offsetTop;
    const { scrollTop } = this.scroller;
    if (top < scrollTop) this.scroller.scrollTop = top;
    else if (top + this.#height > scrollTop + room)
      this.scroller.scrollTop = top + this.#height - room;
    this.#render();
    return this.#elements.get(this.#items[index].id);
  }

  /** Return how many whole rows are in view. */
  get page() {
    const room = this.scroller.clientHeight - this.content.offsetTop;
    return Math.max(1, Math.floor(room / this.#height));
  }

  #later() {
    this.#frame ??= requestAnimationFrame(() => {
      this.#frame = undefined;
      this.#render();
    });
  }

  #render() {
    const { scrollTop, clientHeight } = this.scroller;
    const first = Math.max(0, Math.floor(scrollTop / this.#height) - BEYOND);
    const last = Math.min(
      this.#items.length,
      Math.ceil((scrollTop + clientHeight) / this.#height) + BEYOND,
    );
    const inView = this.#items.slice(first, last);
    const wanted = new Set(inView.map((item) => item.id));
    for (const [id, element] of this.#elements)
      if (!wanted.has(id)) {
        element.remove();
        this.#elements.delete(id);
        this.#shown.delete(id);
      }
    let before = this.content.firstChild;
    for (const [offset, item] of inView.entries()) {
      const index = first + offset;
      let element = this.#elements.get(item.id);
      if (!element) {
        element = this.create();
        element.style.cssText = "position: absolute; left: 0; right: 0;";
        this.#elements.set(item.id, element);
      }
      if (element === before) before = before.nextSibling;
      else this.content.insertBefore(element, before);
      element.style.top = `${index * this.#height}px`;
      element.setAttribute("aria-rowindex", index + 2);
      if (this.#shown.get(item.id) === item) continue;
      this.#shown.set(item.id, item);
      this.fill(element, item, index);
    }
    this.onview?.(inView);
  }
}
