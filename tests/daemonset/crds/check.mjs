// Checks custom resources against the models of their projects, strictly: a field that no model asks for is an error, too.
//
//   node check.mjs MODULES <objects.json >problems.json
//
// MODULES is a node_modules directory. The objects are a JSON list; the answer is a list of as many lists of sentences.

import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { pathToFileURL } from "node:url";

// API group -> the package that has its kinds.
const PACKAGES = {
  "argoproj.io": "argo-cd",
  "cilium.io": "cilium",
  "kyverno.io": "kyverno",
  "policies.kyverno.io": "kyverno",
  "monitoring.coreos.com": "prometheus-operator",
};

// The compiled models look at each field that they know, and at no other. So an object that was asked for names, and has
// names that it was not asked for, has unknown ones. One that was asked for nothing may hold anything.
function watched(value, path, seen) {
  if (value === null || typeof value !== "object") return value;
  const asked = new Set();
  if (!Array.isArray(value)) seen.push({ value, path, asked });
  const children = new Map();
  return new Proxy(value, {
    get(target, name) {
      asked.add(name);
      if (typeof name === "symbol" || !Object.hasOwn(target, name)) return target[name];
      if (!children.has(name)) children.set(name, watched(target[name], `${path}/${name}`, seen));
      return children.get(name);
    },
  });
}

// The models' generator takes a field of this name for the text that explains its type, and leaves it out.
const NOT_IN_MODELS = "description";

function unknownFields(seen) {
  return seen
    .filter(({ asked }) => asked.size > 0)
    .flatMap(({ value, path, asked }) =>
      Object.keys(value).filter((name) => !asked.has(name) && name !== NOT_IN_MODELS).map((name) => `${path}/${name} is unknown`));
}

async function modelOf(modules, { apiVersion, kind }) {
  const inPackage = PACKAGES[apiVersion.split("/")[0]];
  if (!inPackage) return null;
  const file = resolve(modules, "@kubernetes-models", inPackage, apiVersion, `${kind}.js`);
  return (await import(pathToFileURL(file)).catch(() => null))?.[kind] ?? null;
}

async function problems(modules, object) {
  const model = await modelOf(modules, object);
  if (!model) return [`no model of ${object.apiVersion} ${object.kind}`];
  const seen = [];
  try {
    model.prototype.validate.call(watched(object, "", seen));
  } catch (error) {
    return [error.message];
  }
  return unknownFields(seen);
}

const objects = JSON.parse(readFileSync(0, "utf8"));
const all = await Promise.all(objects.map((object) => problems(process.argv[2], object)));
process.stdout.write(JSON.stringify(all));
