// Kubernetes objects against Kubernetes' own schemas. Reads a JSON array of objects on stdin and
// writes an array of arrays: what is wrong with each.
//
// Twice, because each sees what the other does not: the validators that kubernetes-models makes of
// the OpenAPI schemas check values, and pass over fields that nobody knows; its TypeScript types
// refuse those.
import { readFileSync, writeFileSync } from "node:fs";
import ts from "typescript";

const CUSTOM = {
  "monitoring.coreos.com": "@kubernetes-models/prometheus-operator/",
  "keda.sh": "@kubernetes-models/keda/",
};

function moduleOf(object) {
  const group = object.apiVersion.includes("/") ? object.apiVersion.split("/")[0] : "";
  return (CUSTOM[group] ?? "kubernetes-models/") + `${object.apiVersion}/${object.kind}`;
}

async function valueOffences(object) {
  try {
    const module = await import(moduleOf(object));
    new module[object.kind](object).validate();
    return [];
  } catch (error) {
    return [`${object.kind} ${object.metadata?.name}: ${error.message}`];
  }
}

// Each object becomes a literal of its type, and the compiler's complaints are those of the object
// whose lines they point into.
function typeOffences(objects) {
  const file = "checked.ts";
  const owner = [];
  let text = "";
  objects.forEach((object, i) => {
    const code =
      `import type { I${object.kind} as T${i} } from "${moduleOf(object)}";\n` +
      `export const o${i}: T${i} = ${JSON.stringify(object, null, 1)};\n`;
    text += code;
    for (let n = code.split("\n").length - 1; n > 0; --n) owner.push(i);
  });
  writeFileSync(file, text);
  const program = ts.createProgram([file], {
    strict: true,
    noEmit: true,
    skipLibCheck: true,
    target: ts.ScriptTarget.ES2022,
    module: ts.ModuleKind.NodeNext,
    moduleResolution: ts.ModuleResolutionKind.NodeNext,
    types: [],
  });
  const offences = objects.map(() => []);
  for (const diagnostic of ts.getPreEmitDiagnostics(program)) {
    const message = ts.flattenDiagnosticMessageText(diagnostic.messageText, "; ");
    if (diagnostic.file?.fileName !== file) throw new Error(message);
    const { line } = diagnostic.file.getLineAndCharacterOfPosition(diagnostic.start);
    const object = objects[owner[line]];
    offences[owner[line]].push(`${object.kind} ${object.metadata.name}: ${message}`);
  }
  return offences;
}

const objects = JSON.parse(readFileSync(0, "utf8"));
const values = await Promise.all(objects.map(valueOffences));
const types = typeOffences(objects);
console.log(JSON.stringify(objects.map((_, i) => [...values[i], ...types[i]])));
