/** The tab *Fleet*. */

import { View, h } from "./elements.js";
import { styled } from "./style.js";
import { text } from "./texts.js";

class Fleet extends View {
  build() {
    this.root.append(styled(), h("h2", {}, text("panel.tab_fleet")));
  }
}

customElements.define("thethingsstack-fleet", Fleet);
