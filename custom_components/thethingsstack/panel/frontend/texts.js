/** The panel's texts, in the user's language: category `config_panel` of our translations. */

const PREFIX = "component.thethingsstack.config_panel.";
const loaded = { language: undefined, texts: {} };

/** Load the texts for the language of `hass`; does nothing where they are loaded already. */
export async function loadTexts(hass) {
  if (loaded.language === hass.language) return;
  const { resources } = await hass.callWS({
    type: "frontend/get_translations",
    language: hass.language,
    category: "config_panel",
    integration: ["thethingsstack"],
  });
  loaded.language = hass.language;
  loaded.texts = resources;
}

/**
 * Return the text of a key of two parts, `group.key`; `loadTexts` has to have been called before.
 *
 * `{name}` in the text is replaced by the value of that name.
 */
export function text(key, values = {}) {
  const found = loaded.texts[PREFIX + key] ?? key;
  return found.replace(/{(\w+)}/g, (whole, name) => String(values[name] ?? whole));
}
