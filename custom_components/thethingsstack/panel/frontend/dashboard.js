/** What dashboards may use, loaded with each page: the strategy, the card, and their names in pickers. */

import "./device_card.js";
import "./strategy.js";
import { loadTexts, text } from "./texts.js";

const LOOK_AGAIN = 500;
const LOOKS = 120;

/** Name the card and the dashboard where one chooses them, in the user's language. */
async function announce(looks = LOOKS) {
  const { hass } = document.querySelector("home-assistant") ?? {};
  if (!hass?.connection) {
    if (looks) setTimeout(announce, LOOK_AGAIN, looks - 1);
    return;
  }
  await loadTexts(hass);
  (window.customCards ??= []).push({
    type: "thethingsstack-device-card",
    name: text("card.name"),
    description: text("card.description"),
    preview: true,
  });
  (window.customStrategies ??= []).push({
    type: "thethingsstack",
    strategyType: "dashboard",
    name: text("dashboard.name"),
    description: text("dashboard.description"),
  });
}

announce();
