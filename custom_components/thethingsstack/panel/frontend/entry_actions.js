/**
 * What can be done from an entry: send a downlink, try a payload formatter, simulate again.
 *
 * What brings something new to the list fires `entry-acted` on `view`.
 */

import { alert, button, fire, h } from "./elements.js";
import { text } from "./texts.js";

/** Return a form that sends a downlink to the row's end device by the action `send_downlink`. */
export function downlinkForm(view, row) {
  const port = h("input", { type: "number", min: 1, max: 223, required: true, value: row.port || 1 });
  const bytes = h("input", { type: "text", required: true, placeholder: "01 A0", autocomplete: "off", spellcheck: false });
  const confirmed = h("input", { type: "checkbox" });
  const outcome = h("div", { role: "status" });
  const cancel = button(text("traffic.cancel"), () => view.closeForm(), { appearance: "plain" });
  const form = h(
    "form",
    {
      class: "form",
      onsubmit: (event) => {
        event.preventDefault();
        send();
      },
    },
    h("h3", {}, text("traffic.send_to", { device: row.name })),
    h("label", {}, text("traffic.send_port"), port),
    h("label", {}, text("traffic.send_hex"), bytes),
    h("label", { class: "check" }, confirmed, text("traffic.send_confirmed")),
    outcome,
    h(
      "div",
      { class: "end" },
      cancel,
      button(text("traffic.send_now"), () => form.requestSubmit()),
    ),
  );
  // A form's own button is not submitted by Enter where it is one of Home Assistant's elements.
  form.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && event.target.localName === "input") {
      event.preventDefault();
      if (!event.repeat) form.requestSubmit();
    }
    closeByEscape(event, view);
  });

  let sending = false;
  async function send() {
    if (sending) return; // a second click must not send it twice
    sending = true;
    outcome.replaceChildren(text("traffic.sending"));
    try {
      await call(view, "send_downlink", {
        device_id: row.device,
        hex: bytes.value,
        f_port: Number(port.value),
        confirmed: confirmed.checked,
      });
      outcome.replaceChildren(alert("success", text("traffic.sent")));
      cancel.textContent = text("traffic.close"); // it doesn't take the downlink back
      fire(view, "entry-acted");
    } catch (error) {
      outcome.replaceChildren(alert("error", error.message));
    } finally {
      sending = false;
    }
  }

  setTimeout(() => bytes.focus());
  return form;
}

/** Return a form that shows what a script makes of the row's uplink. */
export function formatterForm(view, row) {
  const place = { entry_id: row.entry_id, row: row.id };
  const script = h("textarea", { "aria-label": text("traffic.script"), spellcheck: false });
  const outcome = h("div", { role: "status" }, text("traffic.loading"));
  const form = h(
    "div",
    { class: "form" },
    h("h3", {}, text("traffic.try_formatter")),
    h("div", { class: "secondary" }, text("traffic.formatter_hint")),
    script,
    outcome,
    h(
      "div",
      { class: "end" },
      button(text("traffic.cancel"), () => view.closeForm(), { appearance: "plain" }),
      button(text("traffic.try_now"), () => tryNow()),
    ),
  );
  form.addEventListener("keydown", (event) => closeByEscape(event, view));

  async function read() {
    try {
      const present = await view.hass.callWS({ type: "thethingsstack/traffic/formatter", ...place });
      script.value = present.script;
      outcome.replaceChildren(...(present.failure ? [alert("warning", present.failure)] : []));
      script.focus();
    } catch (error) {
      outcome.replaceChildren(alert("error", error.message));
    }
  }

  async function tryNow() {
    outcome.replaceChildren(text("traffic.loading"));
    try {
      const type = "thethingsstack/traffic/try_formatter";
      const { decoded, warnings = [], failure } = await view.hass.callWS({ type, ...place, script: script.value });
      outcome.replaceChildren(
        failure ? alert("error", failure) : h("pre", {}, JSON.stringify(decoded, null, 2)),
        ...warnings.map((warning) => alert("warning", warning)),
      );
    } catch (error) {
      outcome.replaceChildren(alert("error", error.message));
    }
  }

  read();
  return form;
}

/** Let the server act as if the end device had sent the row's uplink once more. */
export async function simulate(view, row, hex) {
  let message = text("traffic.simulated_now");
  try {
    await call(view, "simulate_uplink", { device_id: row.device, f_port: row.port, hex });
    fire(view, "entry-acted");
  } catch (error) {
    message = error.message;
  }
  fire(view, "hass-notification", { message });
}

function call(view, service, data) {
  return view.hass.callWS({
    type: "call_service",
    domain: "thethingsstack",
    service,
    service_data: data,
    return_response: true,
  });
}

/** Close a form by Escape, and not what it stands in. */
function closeByEscape(event, view) {
  if (event.key !== "Escape") return;
  event.stopPropagation();
  view.closeForm();
}
