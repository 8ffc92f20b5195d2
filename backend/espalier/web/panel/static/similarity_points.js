// Up to a hundred thousand points on a canvas: painted pixel by pixel, found by a grid of buckets.

const BUCKETS = 128;

export class Points {
  /** x, y: within [-1, 1]. */
  constructor(x, y) {
    Object.assign(this, { x: Float32Array.from(x), y: Float32Array.from(y), n: x.length, group: new Int16Array(x.length), picked: new Uint8Array(x.length), hidden: new Set() });
    this.buckets = Array.from({ length: BUCKETS * BUCKETS }, () => []);
    for (let i = 0; i < this.n; i++) this.buckets[this.#bucket(this.x[i]) + BUCKETS * this.#bucket(this.y[i])].push(i);
    this.reset();
  }

  reset() {
    Object.assign(this, { scale: 1, middle: [0, 0] });
  }

  #bucket(value) {
    return Math.max(0, Math.min(BUCKETS - 1, Math.floor((value + 1) / 2 * BUCKETS)));
  }

  /** From pixels of the canvas to the plane, and back. */
  at(px, py, width, height) {
    const unit = this.scale * Math.min(width, height) / 2.1;
    return [(px - width / 2) / unit + this.middle[0], (height / 2 - py) / unit + this.middle[1], unit];
  }

  zoom(by, px, py, width, height) {
    const [x, y] = this.at(px, py, width, height);
    this.scale = Math.max(0.5, Math.min(200, this.scale * by));
    const [x2, y2] = this.at(px, py, width, height);
    this.middle = [this.middle[0] + x - x2, this.middle[1] + y - y2];
  }

  pan(dx, dy, width, height) {
    const unit = this.at(0, 0, width, height)[2];
    this.middle = [this.middle[0] - dx / unit, this.middle[1] + dy / unit];
  }

  /** colours: [r, g, b] by group; ink: of what is picked. */
  draw(context, colours, ink) {
    const { width, height } = context.canvas, picture = context.createImageData(width, height), pixels = new Uint32Array(picture.data.buffer);
    const packed = (colour) => (255 << 24 | colour[2] << 16 | colour[1] << 8 | colour[0]) >>> 0;
    const tints = colours.map(packed), dark = packed(ink), unit = this.at(0, 0, width, height)[2];
    const size = Math.max(2, Math.min(9, Math.round(160 / Math.sqrt(this.n) * Math.sqrt(this.scale) * width / 900)));
    const square = (i, reach, tint) => {
      const left = Math.round((this.x[i] - this.middle[0]) * unit + width / 2) - (reach >> 1), top = Math.round(height / 2 - (this.y[i] - this.middle[1]) * unit) - (reach >> 1);
      if (left < 0 || top < 0 || left + reach > width || top + reach > height) return;
      for (let row = top; row < top + reach; row++) pixels.fill(tint, row * width + left, row * width + left + reach);
    };
    for (const picked of [0, 1]) {
      for (let i = 0; i < this.n; i++) {
        if (this.picked[i] !== picked || this.hidden.has(this.group[i])) continue;
        if (picked) square(i, size + 4, dark);
        square(i, size, tints[this.group[i]]);
      }
    }
    context.putImageData(picture, 0, 0);
  }

  /** The one nearest to a place, within so many pixels; -1 where there is none. */
  nearest(px, py, width, height, reach) {
    const [x, y, unit] = this.at(px, py, width, height), most = reach / unit;
    let best = -1, least = most * most;
    for (let column = this.#bucket(x - most); column <= this.#bucket(x + most); column++) {
      for (let row = this.#bucket(y - most); row <= this.#bucket(y + most); row++) {
        for (const i of this.buckets[column + BUCKETS * row]) {
          const away = (this.x[i] - x) ** 2 + (this.y[i] - y) ** 2;
          if (away < least && !this.hidden.has(this.group[i])) [best, least] = [i, away];
        }
      }
    }
    return best;
  }

  /** Those within a closed line of pixels. */
  within(line, width, height) {
    const corners = line.map(([px, py]) => this.at(px, py, width, height)), found = [];
    for (let i = 0; i < this.n; i++) {
      let inside = false;
      for (let a = 0, b = corners.length - 1; a < corners.length; b = a++) {
        const [ax, ay] = corners[a], [bx, by] = corners[b];
        if (ay > this.y[i] !== by > this.y[i] && this.x[i] < (bx - ax) * (this.y[i] - ay) / (by - ay) + ax) inside = !inside;
      }
      if (inside && !this.hidden.has(this.group[i])) found.push(i);
    }
    return found;
  }
}
