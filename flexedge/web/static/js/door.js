// The pages before the site: becoming its owner, logging in.
import { handle } from "./forms.js";

const home = () => location.replace("/");
handle(document.querySelector("form"), home);

const code = document.querySelector("#code");
code?.addEventListener("input", () => {
  const typed = code.value.toUpperCase().replace(/[^0-9A-Z]/g, "").slice(0, 8);
  const split = typed.length > 4 ? `${typed.slice(0, 4)}-${typed.slice(4)}` : typed;
  if (code.value !== split) code.value = split;
});

// Browsers keep the session cookie back when a link on another site led here; from here they
// send it.
if (location.pathname === "/") {
  const answer = await fetch("/api/session").then((response) => response.json()).catch(() => ({}));
  if (answer.owner) home();
}
