// Which pictures are A and B unless the visitor chooses. Pure functions over the server's entries.

const PREFERRED_RECIPES = ['int8_qat', 'int8_ptq', 'float16'];

// The keys of A and B: what was chosen, as far as it is there; otherwise float32 and int8.
export function chosenSides(entries, {a, b}) {
    const has = (key) => entries.some((entry) => entry.key === key);
    const models = entries.filter((entry) => entry.kind === 'model');
    const named = (name) => models.find((entry) => entry.name === name);
    const preferred = PREFERRED_RECIPES.map(named).find(Boolean);
    const right = has(b) ? b : (preferred ?? models.at(-1) ?? entries.at(-1)).key;
    const reference = named('float32')?.key === right ? null : named('float32');
    return {a: has(a) ? a : (reference ?? entries[0]).key, b: right};
}

// The key of a model of the visitor's own that was not there before.
export function addedModel(before, entries) {
    const known = before.map((entry) => entry.key);
    if (!known.length) return undefined;
    return entries.find((entry) => entry.own && !known.includes(entry.key))?.key;
}
