// How things stand with central servers, in short.
import { html, keep, mark, say } from "./elements.js";

// What colour says: well, on its way to be, or in need of somebody.
export const tone = (centre) => (!centre.well ? "poor" : centre.reached ? "good" : "fair");
export const word = (centre) => (!centre.well ? "Look at this" : centre.reached ? "In touch" : "Not in touch");

export function drawStanding(list, none, more, centres) {
  none.hidden = centres.length > 0;
  say(more, centres.length ? "More about it" : "Link with a central server");
  keep(list, centres, (centre) => centre.name,
    () => html("li", {}, html("span", { class: "chip" }), html("b"), html("code"), html("p")),
    (item, centre) => {
      const [chip, name, url, words] = item.children;
      say(chip, word(centre));
      mark(chip, "data-tone", tone(centre));
      say(name, centre.name);
      say(url, centre.url);
      say(words, centre.words);
    });
}
