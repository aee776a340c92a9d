// Sends forms as JSON and shows what the gateway says about them.

export async function post(path, body = {}) {
  let response;
  try {
    response = await fetch(path, {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify(body),
    });
  } catch {
    return { ok: false, message: "The gateway does not answer. Is it switched on?" };
  }
  const answer = await response.json().catch(() => ({}));
  return { ok: response.ok, message: answer.message ?? "Something went wrong." };
}

function complaint(form) {
  const invalid = [...form.elements].find((field) => field.willValidate && !field.checkValidity());
  if (!invalid) return null;
  const label = form.querySelector(`label[for="${invalid.id}"]`)?.textContent ?? "This field";
  invalid.focus();
  return invalid.validity.tooShort
    ? `${label}: at least ${invalid.minLength} characters, please.`
    : `${label} is missing.`;
}

// Calls `done` when the gateway accepted the form.
export function handle(form, done) {
  const error = form.querySelector(".error");
  const button = form.querySelector("[type=submit]");
  const show = (message) => {
    error.textContent = message ?? "";
    error.hidden = !message;
  };
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const problem = complaint(form);
    show(problem);
    if (problem) return;
    const { user, ...body } = Object.fromEntries(new FormData(form));
    button.disabled = true;
    const answer = await post(form.dataset.post, body);
    button.disabled = false;
    if (answer.ok) done();
    else show(answer.message);
  });
  for (const toggle of form.querySelectorAll("[data-show]")) {
    toggle.addEventListener("click", () => {
      const field = form.querySelector(`#${toggle.dataset.show}`);
      const shown = field.type === "password";
      field.type = shown ? "text" : "password";
      toggle.textContent = shown ? "Hide" : "Show";
      toggle.setAttribute("aria-pressed", shown);
    });
  }
}
