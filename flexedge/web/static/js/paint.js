// What is painted into the charts beside their lines: now, what lies ahead, days, prices.

function mixed(one, other, share) {
  const parts = (colour) => [1, 3, 5].map((at) => parseInt(colour.slice(at, at + 2), 16));
  const [from, to] = [parts(one), parts(other)];
  return `rgb(${from.map((value, index) => Math.round(value + (to[index] - value) * share)).join(" ")})`;
}

// Turns a value into a colour between the first (low), the second and the third (high) of three.
export function shaded(low, high, [first, second, third]) {
  const steps = 12; // few colours: the bars of one colour are drawn in one go
  return (value) => {
    if (value === null || value === undefined) return null;
    const share = high > low ? Math.round(((value - low) / (high - low)) * steps) / steps : 0.5;
    return share < 0.5 ? mixed(first, second, share * 2) : mixed(second, third, share * 2 - 1);
  };
}

// Behind the lines: a hint of shade over what has not happened yet.
export function clear(plot, now, colour) {
  const { ctx, bbox } = plot;
  const from = Math.max(plot.valToPos(now, "x", true), bbox.left);
  ctx.save();
  ctx.fillStyle = colour("--ahead");
  if (from < bbox.left + bbox.width) ctx.fillRect(from, bbox.top, bbox.left + bbox.width - from, bbox.height);
  ctx.restore();
}

// Over the lines: zero, midnights and now.
export function veil(plot, now, midnights, colour) {
  const { ctx, bbox } = plot;
  const ratio = devicePixelRatio;
  const upright = (time, stroke, width, dash) => {
    const x = Math.round(plot.valToPos(time, "x", true));
    if (x < bbox.left || x > bbox.left + bbox.width) return;
    ctx.strokeStyle = stroke;
    ctx.lineWidth = width * ratio;
    ctx.setLineDash(dash.map((part) => part * ratio));
    ctx.beginPath();
    ctx.moveTo(x, bbox.top);
    ctx.lineTo(x, bbox.top + bbox.height);
    ctx.stroke();
  };
  ctx.save();
  const zero = Math.round(plot.valToPos(0, "y", true));
  if (zero >= bbox.top && zero <= bbox.top + bbox.height) {
    ctx.strokeStyle = colour("--muted");
    ctx.globalAlpha = 0.5;
    ctx.lineWidth = ratio;
    ctx.beginPath();
    ctx.moveTo(bbox.left, zero);
    ctx.lineTo(bbox.left + bbox.width, zero);
    ctx.stroke();
    ctx.globalAlpha = 1;
  }
  for (const time of midnights) upright(time, colour("--muted"), 1, []);
  upright(now, colour("--accent"), 2, []);
  ctx.restore();
}
