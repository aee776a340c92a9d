// The stream of live events: reconnects by itself and says how it is. Rests while nobody looks:
// browsers allow only a few streams for all their tabs.

const SILENT_MS = 6000;
const LONGEST_WAIT_MS = 15000;
const REST_AFTER_MS = 20000;

export function follow(path, { onEvent, onState, onStranger }) {
  let source = null;
  let wait = 1000;
  let timer = 0;
  let heard = 0;
  let rest = 0;

  function open() {
    clearTimeout(timer);
    source?.close();
    heard = performance.now();
    source = new EventSource(path);
    for (const name of ["status", "chart"]) {
      source.addEventListener(name, (event) => {
        heard = performance.now();
        wait = 1000;
        onState("live");
        onEvent(name, JSON.parse(event.data));
      });
    }
    source.onerror = retry;
  }

  async function retry() {
    source?.close();
    onState("lost");
    clearTimeout(timer);
    timer = setTimeout(open, wait);
    wait = Math.min(wait * 2, LONGEST_WAIT_MS);
    const session = await fetch("/api/session").then((answer) => answer.json()).catch(() => null);
    if (session && !session.owner) onStranger();
  }

  setInterval(() => {
    if (source.readyState !== EventSource.CLOSED && performance.now() - heard > SILENT_MS) retry();
  }, 1000);
  const soon = () => {
    if (document.visibilityState === "visible" && source.readyState === EventSource.CLOSED) open();
  };
  document.addEventListener("visibilitychange", () => {
    clearTimeout(rest);
    if (document.visibilityState === "visible") return soon();
    rest = setTimeout(() => {
      clearTimeout(timer);
      source.close();
    }, REST_AFTER_MS);
  });
  addEventListener("online", soon);
  addEventListener("pagehide", () => source.close());
  addEventListener("pageshow", (event) => event.persisted && open());
  open();
}
