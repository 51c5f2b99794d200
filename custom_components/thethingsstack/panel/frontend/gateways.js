/** The tab *Gateways*. */

import { View, h } from "./elements.js";
import { styled } from "./style.js";
import { text } from "./texts.js";

class Gateways extends View {
  build() {
    this.root.append(styled(), h("h2", {}, text("panel.tab_gateways")));
  }
}

customElements.define("thethingsstack-gateways", Gateways);
