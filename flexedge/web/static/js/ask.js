// Asks the API, and puts what it refuses into words.

// What is wrong with fields comes as a tree: a line of it.
export function inWords(message) {
  if (Array.isArray(message)) return message.join(" ");
  if (message === null || typeof message !== "object") return String(message ?? "Something went wrong.");
  return Object.entries(message)
    .map(([key, value]) => (["json", "query", "path"].includes(key) ? inWords(value) : `${key}: ${inWords(value)}`))
    .join("; ");
}

export async function ask(method, path, body) {
  let response;
  try {
    response = await fetch(path, {
      method,
      headers: body === undefined ? {} : { "Content-Type": "application/json" },
      body: body === undefined ? undefined : JSON.stringify(body),
    });
  } catch {
    return { ok: false, status: 0, message: "The gateway does not answer. Is it switched on?" };
  }
  const content = await response.json().catch(() => null);
  const message = response.ok ? "" : inWords(content?.message);
  return { ok: response.ok, status: response.status, content, message };
}
