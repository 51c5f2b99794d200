/** Copying text, also where the page is not served over HTTPS. */

import { fire } from "./elements.js";
import { text } from "./texts.js";

/** Copy a text, and say so in one of Home Assistant's notes at the bottom of the page. */
export async function copyText(element, value) {
  const copied = navigator.clipboard ? await viaClipboard(value) : viaSelection(value);
  const message = text(copied ? "traffic.copied" : "traffic.not_copied");
  fire(element, "hass-notification", { message });
}

async function viaClipboard(value) {
  try {
    await navigator.clipboard.writeText(value);
    return true;
  } catch {
    return viaSelection(value);
  }
}

function viaSelection(value) {
  const area = document.createElement("textarea");
  area.value = value;
  area.style.cssText = "position: fixed; opacity: 0;";
  document.body.append(area);
  area.select();
  const copied = document.execCommand("copy");
  area.remove();
  return copied;
}
