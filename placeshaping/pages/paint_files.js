/* Files of a proposal: saved and loaded, and for others as boundaries, as a table and in words. */
(function (P) {
  "use strict";

  const KIND = "placeshaping ward proposal";
  const VERSION = 1;
  const MOST_BYTES = 20e6;
  const MOST_WARDS = 1000;

  /* What a saved proposal holds; units without a ward stand with null. */
  P.savedProposal = function (review, proposal) {
    return {
      kind: KIND, version: VERSION, review: review.name, digest: review.digest, name: proposal.name, councillors: review.councillors,
      wards: proposal.wards,
      units: Object.fromEntries(review.codes.map((code, i) => [code, proposal.of[i] < 0 ? null : proposal.wards[proposal.of[i]].id]))
    };
  };

  /* Read a saved proposal, or say in a sentence why it cannot be read. */
  P.readProposal = function (text, review) {
    if (text.length > MOST_BYTES) { throw new Error("This file is too large to be a saved proposal."); }
    let given;
    try { given = JSON.parse(text); } catch (error) { throw new Error("This file is no saved proposal: it could not be read as JSON."); }
    if (!given || typeof given !== "object" || given.kind !== KIND) { throw new Error("This file is no saved proposal of wards."); }
    if (given.version !== VERSION) { throw new Error("This file was saved by a newer version of the page (" + String(given.version).slice(0, 20) + "); open it with that one."); }
    if (given.digest !== review.digest) {
      throw new Error(given.review === review.name
        ? "This file belongs to another edition of the review \u201c" + review.name + "\u201d, with other units or other figures."
        : "This file belongs to the review \u201c" + String(given.review).slice(0, 120) + "\u201d, not to \u201c" + review.name + "\u201d.");
    }
    const wards = wardsOf(given.wards);
    const places = new Map(wards.map((ward, k) => [ward.id, k]));
    return { name: typeof given.name === "string" && given.name.trim() ? given.name.trim().slice(0, 120) : "Loaded proposal", wards: wards, of: unitsOf(given.units, review, places) };
  };

  function wardsOf(given) {
    const ids = new Set();
    const sound = (ward) => ward && typeof ward.id === "string" && ward.id && !ids.has(ward.id) && ids.add(ward.id) &&
      typeof ward.name === "string" && ward.name.trim() && Number.isInteger(ward.councillors) && ward.councillors > 0 && ward.councillors < 100;
    if (!Array.isArray(given) || !given.length || given.length > MOST_WARDS || !given.every(sound)) {
      throw new Error("The wards of this file are damaged: each needs an id of its own, a name and a number of councillors.");
    }
    return given.map((ward) => ({ id: ward.id, name: ward.name.trim().slice(0, 80), councillors: ward.councillors }));
  }

  function unitsOf(given, review, places) {
    const units = new Map(given && typeof given === "object" ? Object.entries(given) : []);
    const unknown = Array.from(units.keys()).filter((code) => !review.place.has(code));
    if (unknown.length) { throw new Error(P.many(unknown.length, "unit") + " of this file " + (unknown.length === 1 ? "is" : "are") + " not in this review (" + P.few(unknown) + ")."); }
    const lost = review.codes.filter((code) => !units.has(code));
    if (lost.length) { throw new Error(P.many(lost.length, "unit") + " of this review " + (lost.length === 1 ? "is" : "are") + " missing from the file (" + P.few(lost) + ")."); }
    return review.codes.map(function (code) {
      const id = units.get(code);
      if (id !== null && !places.has(id)) { throw new Error("Unit " + code + " lies in a ward that the file does not list."); }
      return id === null ? -1 : places.get(id);
    });
  }

  /* ---- for others ---- */

  const rounded = (share) => share === null ? null : Number(P.fixed(share, 6)) * (share < 0 ? -1 : 1);

  /* Boundaries of the wards, as drawn on this page; with the units, so that they can be checked. */
  P.geojson = function (page) {
    const { review, painting } = page;
    const features = painting.wards.map(function (ward) {
      const row = painting.scores.rows.get(ward.slot);
      return {
        type: "Feature", id: ward.id,
        properties: {
          id: ward.id, name: ward.name, councillors: ward.councillors, electors_now: row.now, electors_forecast: row.forecast,
          variance_now: rounded(row.variance_now), variance_forecast: rounded(row.variance_forecast), parts: row.parts, units: row.units
        },
        geometry: outline(page, ward.slot)
      };
    });
    return Object.assign({ type: "FeatureCollection" }, P.savedProposal(review, painting.proposal()), { features: features });
  };

  /* Dissolve a ward: the arcs that its units do not share among themselves, stitched into rings. */
  function outline(page, slot) {
    const { shapes, painting } = page;
    const used = new Map();
    shapes.rings[0].forEach(function (polygon, i) {
      if (painting.of[i] !== slot) { return; }
      for (const ring of polygon) { for (const arc of ring) { const one = arc < 0 ? ~arc : arc; used.set(one, used.has(one) ? null : arc); } }
    });
    const open = Array.from(used.values()).filter((arc) => arc !== null).map((arc) => pointsOf(shapes, arc));
    const rings = stitched(open);
    if (!rings.length) { return null; }
    const polygons = nested(rings);
    return polygons.length === 1 ? { type: "Polygon", coordinates: polygons[0] } : { type: "MultiPolygon", coordinates: polygons };
  }

  function pointsOf(shapes, arc) {
    const { starts, points } = shapes.thin(0);
    const one = arc < 0 ? ~arc : arc;
    const found = [];
    for (let k = starts[one]; k < starts[one + 1]; k += 1) { found.push([points[2 * k], points[2 * k + 1]]); }
    return arc < 0 ? found.reverse() : found;
  }

  const key = (point) => point[0] + " " + point[1];

  /* Where several arcs leave a point, the one that turns most to its own side keeps the ring simple. */
  function stitched(open) {
    const from = new Map();
    open.forEach(function (line) {
      const at = key(line[0]);
      if (from.has(at)) { from.get(at).add(line); } else { from.set(at, new Set([line])); }
    });
    const rings = [];
    for (const first of open) {
      if (!from.get(key(first[0])).has(first)) { continue; }
      const ring = [];
      for (let line = first; line; line = next(from, line)) {
        from.get(key(line[0])).delete(line);
        ring.push(...line.slice(0, -1));
        if (key(line[line.length - 1]) === key(first[0])) { break; }
      }
      rings.push(...simple(ring));
    }
    return rings;
  }

  /* A ring that comes back to a point is several rings. */
  function simple(ring) {
    const found = [];
    const path = [];
    const places = new Map();
    for (const point of ring) {
      const at = places.get(key(point));
      if (at !== undefined) {
        const loop = path.splice(at);
        loop.forEach((one) => places.delete(key(one)));
        found.push(loop);
      }
      places.set(key(point), path.length);
      path.push(point);
    }
    return [...found, path].filter((one) => one.length > 2);
  }

  function next(from, line) {
    const end = line[line.length - 1];
    const before = line[line.length - 2];
    const came = Math.atan2(before[1] - end[1], before[0] - end[0]);
    let best = null;
    let least = Infinity;
    for (const other of from.get(key(end)) || []) {
      const turn = Math.atan2(other[1][1] - end[1], other[1][0] - end[0]) - came;
      const round = ((turn % (2 * Math.PI)) + 2 * Math.PI) % (2 * Math.PI);
      const wide = round < 1e-12 ? 2 * Math.PI : round;
      if (wide < least) { least = wide; best = other; }
    }
    return best;
  }

  function size(ring) {
    let twice = 0;
    ring.forEach(function (point, k) {
      const after = ring[(k + 1) % ring.length];
      twice += point[0] * after[1] - after[0] * point[1];
    });
    return twice / 2;
  }

  /* Rings as polygons: outer ones run against the clock, holes with it, as RFC 7946 has them. */
  function nested(rings) {
    const sizes = rings.map(size);
    /* On the page y runs down: what runs against the clock on the ground has a negative size here. */
    const outer = rings.filter((_, k) => sizes[k] < 0);
    const polygons = outer.map((ring) => [ring]);
    rings.filter((_, k) => sizes[k] > 0).forEach(function (hole) {
      const holders = outer.map((ring, k) => [k, Math.abs(size(ring))]).filter(([k]) => holds(outer[k], hole));
      holders.sort((a, b) => a[1] - b[1]);
      if (holders.length) { polygons[holders[0][0]].push(hole); }
    });
    return polygons.map((polygon) => polygon.map(degrees));
  }

  /* A hole may touch the ring at some points: the middle of its first edge tells. */
  function holds(ring, hole) {
    const x = (hole[0][0] + hole[1][0]) / 2;
    const y = (hole[0][1] + hole[1][1]) / 2;
    let odd = false;
    for (let k = 0, j = ring.length - 1; k < ring.length; j = k, k += 1) {
      const [ax, ay] = ring[k];
      const [bx, by] = ring[j];
      if ((ay > y) !== (by > y) && x < ax + (y - ay) / (by - ay) * (bx - ax)) { odd = !odd; }
    }
    return odd;
  }

  function degrees(ring) {
    const found = ring.map(function ([x, y]) {
      const at = L.CRS.EPSG3857.pointToLatLng(L.point(x, y), 0);
      return [Number(at.lng.toFixed(6)), Number(at.lat.toFixed(6))];
    });
    const clean = found.filter((point, k) => k === 0 || key(point) !== key(found[k - 1]));
    if (key(clean[0]) !== key(clean[clean.length - 1])) { clean.push(clean[0]); }
    return clean;
  }

  /* What a spreadsheet would take for a formula is kept from being one. */
  function cell(value) {
    if (value === null || value === undefined) { return ""; }
    const text = typeof value === "string" && /^[=+\-@\t\r]/.test(value) ? "'" + value : String(value);
    return /[",\r\n]/.test(text) ? '"' + text.replaceAll('"', '""') + '"' : text;
  }

  P.unitsCsv = function (page) {
    const { review, painting } = page;
    const split = new Set(painting.scores.split.filter((one) => one.kind === "polling_district").map((one) => one.name));
    const lines = [["area_code", "ward", "ward_name", "councillors", "electors_now", "electors_forecast", "polling_district", "split"]];
    review.codes.forEach(function (code, i) {
      const ward = painting.ward(painting.of[i]);
      const district = review.groupOf(i, "polling_district");
      lines.push([code, ward ? ward.id : "", ward ? ward.name : "", ward ? ward.councillors : "", review.now[i], review.forecast[i], district, split.has(district) ? "yes" : "no"]);
    });
    return "\ufeff" + lines.map((line) => line.map(cell).join(",")).join("\r\n") + "\r\n";
  };

  P.statement = function (page) {
    const { review, painting } = page;
    const { summary, rows, split } = painting.scores;
    const judged = P.judged(review, painting.scores);
    const lines = [
      "Proposal: " + painting.name, "Review: " + review.name + " (" + review.digest + ")",
      "Written on " + new Date().toLocaleDateString("en-GB", { day: "numeric", month: "long", year: "numeric" }), "",
      P.many(summary.wards, "ward") + " for " + P.many(summary.councillors, "councillor") + "; " + P.count(review.total.now) + " electors now and " + P.count(review.total.forecast) + " on the forecast.",
      P.many(summary.over_forecast, "ward lies", "wards lie") + " more than " + review.mark + " from the average on the forecast, " + P.count(summary.over_now) + " with today's electors.", "",
      judged.faults.length ? "It does not meet every test:" : "It meets every test.", ...judged.faults.map((one) => "- " + one.words)
    ];
    if (judged.warnings.length) { lines.push("", "To be argued for:", ...judged.warnings.map((one) => "- " + one.words)); }
    lines.push("", "Ward by ward:");
    for (const row of rows.values()) {
      lines.push("- " + row.name + ": " + P.many(row.councillors, "councillor") + "; " + P.many(row.now, "elector") + " now (" + plain(row.variance_now) + "), " + P.count(row.forecast) + " on the forecast (" + plain(row.variance_forecast) + "); " + P.many(row.units, "unit") + ".");
    }
    if (split.length) {
      lines.push("", "Places in several wards:");
      split.forEach((one) => lines.push("- " + one.name + " (" + P.kinds[one.kind][0] + "): " + P.listed(one.slots.map((slot) => painting.nameOf(slot))) + "."));
    }
    lines.push("", "Variance is the number of electors of a councillor against the average of the whole district.");
    return lines.join("\r\n") + "\r\n";
  };

  const plain = (share) => P.signed(share).replace("\u00a0", " ").replace("\u2212", "-");

  P.download = function (text, name, type) {
    const address = URL.createObjectURL(new Blob([text], { type: type + ";charset=utf-8" }));
    const link = P.make("a", { href: address, download: name });
    link.click();
    setTimeout(() => URL.revokeObjectURL(address), 10000);
  };

  P.fileName = (name, ending) => (name.normalize("NFKD").replace(/[\u0300-\u036f]/g, "").replace(/[^A-Za-z0-9]+/g, "-").replace(/^-|-$/g, "").slice(0, 60) || "proposal") + ending;
})(placeshaping);
