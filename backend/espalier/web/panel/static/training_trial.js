// What other cutoffs would do: counted here, on what every frame scored, so that all figures follow at once.

const over = (part, whole) => (whole ? part / whole : null);

/** `scored`: the REST API's listFrameScores. Returns figures as an evaluation has them, and `shares`: how often answered frames are right. */
export function count(scored, cutoffs) {
  const k = scored.options.length;
  const matrix = Array.from({ length: k + 1 }, () => new Array(k + 1).fill(0));
  const right = new Array(k).fill(0), given = new Array(k).fill(0), support = new Array(k).fill(0);
  let labeled = 0, exact = 0;
  scored.candidates.forEach((candidates, frame) => {
    const holds = scored.holds[frame];
    const answers = candidates.filter(([option, score]) => score >= cutoffs[option]).map(([option]) => option);
    const missed = holds.filter((option) => !answers.includes(option)), wrong = answers.filter((option) => !holds.includes(option));
    for (const option of holds) support[option]++;
    for (const option of answers) {
      given[option]++;
      if (holds.includes(option)) {
        right[option]++;
        matrix[option][option]++;
      }
    }
    // As the evaluation counts: what was missed, against each wrong answer of its frame, or against none.
    for (const true_ of missed) for (const said of wrong.length ? wrong : [k]) matrix[true_][said]++;
    if (!missed.length) for (const said of wrong) matrix[k][said]++;
    if (!holds.length && !answers.length) matrix[k][k]++;
    if (answers.length) labeled++;
    if (!missed.length && !wrong.length) exact++;
  });
  const sum = (values) => values.reduce((total, value) => total + value, 0);
  const options = scored.options.map((path, option) => ({
    path, cutoff: cutoffs[option], positives: support[option], answered: given[option], right: right[option],
    precision: over(right[option], given[option]), recall: over(right[option], support[option]),
    f1: over(2 * right[option], given[option] + support[option]),
  }));
  const present = options.filter((one) => one.positives);
  return {
    options, confusion: matrix, labeled, frames: scored.frames, answers: sum(given), right: sum(right),
    coverage: over(labeled, scored.frames), subset_accuracy: over(exact, scored.frames),
    micro_precision: over(sum(right), sum(given)), micro_recall: over(sum(right), sum(support)),
    macro_f1: present.length ? sum(present.map((one) => one.f1 ?? 0)) / present.length : null,
  };
}

/** The confusion matrix's figure with other counts: cells are found by their names. */
export function recounted(figure, scored, matrix) {
  const [heat, ...rest] = figure.data, at = new Map(scored.options.map((path, option) => [path.join(" / "), option]));
  const number = (path) => (path === "" ? scored.options.length : at.get(path));
  const totals = matrix.map((row) => row.reduce((total, value) => total + value, 0));
  const cells = heat.customdata.map((row) => row.map(([truth, said]) => [matrix[number(truth)][number(said)], totals[number(truth)]]));
  return { ...figure, data: [{ ...heat, text: cells.map((row) => row.map(([value]) => (value ? String(value) : ""))), z: cells.map((row) => row.map(([value, total]) => value / Math.max(1, total))) }, ...rest] };
}

/** The curve's figure with its mark where this cutoff is: the last point that is answered. */
export function marked(figure, cutoff) {
  const [line, mark] = figure.data;
  const found = line.customdata.findLastIndex((value) => value !== null && value >= cutoff);
  const at = found < 0 ? 0 : found;
  return { ...figure, data: [line, { ...mark, x: [line.x[at]], y: [line.y[at]] }] };
}
