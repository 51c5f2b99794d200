/** Styles that all views share; colours are Home Assistant's variables. */

export const style = `
:host {
  display: block;
  color: var(--primary-text-color);
  font-family: var(--ha-font-family-body, Roboto, sans-serif);
  font-size: var(--ha-font-size-m, 14px);
}
* { box-sizing: border-box; }
[hidden] { display: none !important; }
a { color: var(--primary-color); }
h2, h3 { font-weight: 500; margin: 0; }
h2 { font-size: 20px; }
h3 { font-size: 16px; }
.secondary { color: var(--secondary-text-color); }
.error { color: var(--error-color); }
.warning { color: var(--warning-color); }
.mono { font-family: var(--ha-font-family-code, monospace); }
ha-card, .card {
  display: block;
  background: var(--ha-card-background, var(--card-background-color));
  border-radius: var(--ha-card-border-radius, 12px);
}
input, select, textarea, button {
  font: inherit;
  color: inherit;
}
input, select, textarea {
  min-height: 40px;
  padding: 6px 10px;
  border: 1px solid var(--divider-color);
  border-radius: 8px;
  background: var(--card-background-color);
}
button { cursor: pointer; }
button.icon { border: 0; padding: 12px; background: none; line-height: 0; }
:focus-visible { outline: 2px solid var(--primary-color); outline-offset: 1px; }
svg { width: 24px; height: 24px; fill: currentColor; }
`;

/** Return a `style` element with the shared styles and a view's own. */
export function styled(own = "") {
  const element = document.createElement("style");
  element.textContent = style + own;
  return element;
}
