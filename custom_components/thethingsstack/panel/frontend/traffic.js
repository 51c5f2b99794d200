/** The tab *Live data*. */

import { View, h } from "./elements.js";
import { styled } from "./style.js";
import { text } from "./texts.js";

class Traffic extends View {
  build() {
    this.root.append(styled(), h("h2", {}, text("panel.tab_traffic")));
  }
}

customElements.define("thethingsstack-traffic", Traffic);
