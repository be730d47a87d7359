/* Leaflet stands in the page gzipped, to be small. It is unpacked here, at once, by RFC 1951 in plain
   JavaScript: the browser's own DecompressionStream would let the scripts after this one run first. */
var placeshaping = {};
(function (P) {
  "use strict";

  /* The bytes that stand in an element as base64. */
  P.bytes = function (id) {
    const text = document.getElementById(id).textContent.trim();
    if (Uint8Array.fromBase64) { return Uint8Array.fromBase64(text); }
    const letters = atob(text);
    const bytes = new Uint8Array(letters.length);
    for (let k = 0; k < bytes.length; k += 1) { bytes[k] = letters.charCodeAt(k); }
    return bytes;
  };

  /* 16, 17, 18, 0, 8 and so on, as letters from A: a page holds no list of numbers outside its data. */
  const ORDER = Array.from("QRSAIHJGKFLEMDNCOBP", (letter) => letter.charCodeAt(0) - 65);

  /* What the next bits stand for, for as many bits as the longest code has: a symbol, and its code's length. */
  function tree(lengths) {
    const longest = Math.max(...lengths);
    const codes = new Uint16Array(1 << longest);
    let code = 0;
    for (let length = 1; length <= longest; length += 1) {
      for (let symbol = 0; symbol < lengths.length; symbol += 1) {
        if (lengths[symbol] !== length) { continue; }
        let first = 0; /* a code stands in the stream with its first bit lowest */
        for (let k = 0; k < length; k += 1) { first |= (code >> k & 1) << (length - 1 - k); }
        for (let at = first; at < codes.length; at += 1 << length) { codes[at] = symbol << 4 | length; }
        code += 1;
      }
      code <<= 1;
    }
    return { longest: longest, codes: codes };
  }

  /* What is written as so many extra bits: the least value of each symbol, and its bits. */
  function ranges(many, every, start) {
    const base = [];
    const extra = [];
    for (let k = 0, next = start; k < many; k += 1) {
      extra.push(Math.max(0, Math.floor(k / every) - 1));
      base.push(next);
      next += 1 << extra[k];
    }
    return { base: base, extra: extra };
  }

  const lengths = ranges(28, 4, 3);
  lengths.base.push(258);
  lengths.extra.push(0);
  const distances = ranges(30, 2, 1);

  function inflate(bytes, at) {
    const made = new Uint8Array(new DataView(bytes.buffer).getUint32(bytes.length - 4, true));
    let n = 0;
    let held = 0;
    let bits = 0;

    function see(many) {
      while (bits < many) { held |= bytes[at] << bits; at += 1; bits += 8; }
      return held & ((1 << many) - 1);
    }

    function drop(many) {
      held >>>= many;
      bits -= many;
    }

    function take(many) {
      const value = see(many);
      drop(many);
      return value;
    }

    function symbol(of) {
      const found = of.codes[see(of.longest)];
      if (!found) { throw new Error("Leaflet is damaged"); }
      drop(found & 15);
      return found >> 4;
    }

    function trees() {
      const [literal, distance, coded] = [take(5) + 257, take(5) + 1, take(4) + 4];
      const small = new Uint8Array(19);
      for (let k = 0; k < coded; k += 1) { small[ORDER[k]] = take(3); }
      const by = tree(small);
      const all = new Uint8Array(literal + distance);
      for (let k = 0; k < all.length;) {
        const one = symbol(by);
        if (one < 16) { all[k] = one; k += 1; continue; }
        const value = one === 16 ? all[k - 1] : 0;
        const past = k + (one === 16 ? 3 + take(2) : one === 17 ? 3 + take(3) : 11 + take(7));
        all.fill(value, k, past);
        k = past;
      }
      return [tree(all.subarray(0, literal)), tree(all.subarray(literal))];
    }

    function fixed() {
      return [tree(Uint8Array.from({ length: 288 }, (_, k) => k < 144 ? 8 : k < 256 ? 9 : k < 280 ? 7 : 8)), tree(new Uint8Array(30).fill(5))];
    }

    function stored() {
      at -= bits >> 3; /* whole bytes that were seen and not dropped */
      held = bits = 0;
      const size = bytes[at] | bytes[at + 1] << 8;
      made.set(bytes.subarray(at + 4, at + 4 + size), n);
      at += 4 + size;
      n += size;
    }

    for (let last = 0; !last;) {
      last = take(1);
      const kind = take(2);
      if (kind === 0) { stored(); continue; }
      const [literal, distance] = kind === 1 ? fixed() : trees();
      for (let one = symbol(literal); one !== 256; one = symbol(literal)) {
        if (one < 256) { made[n] = one; n += 1; continue; }
        const size = lengths.base[one - 257] + take(lengths.extra[one - 257]);
        const far = symbol(distance);
        const back = distances.base[far] + take(distances.extra[far]);
        for (let k = 0; k < size; k += 1, n += 1) { made[n] = made[n - back]; }
      }
    }
    return made;
  }

  function unpacked(id) {
    return new TextDecoder().decode(inflate(P.bytes(id), 10)); /* after gzip's own ten bytes */
  }

  function made(tag, id) {
    const element = document.createElement(tag);
    element.textContent = unpacked(id);
    return element;
  }

  document.head.querySelector("style").before(made("style", "placeshaping-library-styles"));
  const script = made("script", "placeshaping-library");
  document.head.append(script);
  script.remove();
})(placeshaping);
