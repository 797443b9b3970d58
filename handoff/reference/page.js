// Shows the OpenAPI document as a list of operations. Everything is set as text, never as markup.

const element = (name, text = "", className = "") => {
  const made = document.createElement(name);
  made.textContent = text;
  made.className = className;
  return made;
};

const resolve = (api, part) =>
  part?.$ref ? part.$ref.slice(2).split("/").reduce((found, key) => found[key], api) : part;

const schemaText = (api, schema) => JSON.stringify(schema, (_, value) => resolve(api, value), 2);

function parameters(operation) {
  const table = element("table");
  for (const parameter of operation.parameters ?? []) {
    const row = table.insertRow();
    row.append(
      element("td", parameter.name, "name"),
      element("td", parameter.in + (parameter.required ? ", required" : "")),
      element("td", parameter.schema?.type ?? (parameter.schema?.anyOf ?? []).map((one) => one.type).join(" or ")),
    );
  }
  return table;
}

function responses(api, operation) {
  const table = element("table");
  for (const [status, given] of Object.entries(operation.responses)) {
    const row = table.insertRow();
    row.append(element("td", status, "name"), element("td", resolve(api, given).description));
  }
  return table;
}

function show(api, path, method, operation) {
  const box = element("details", "", "operation");
  const head = element("summary");
  head.append(element("b", method.toUpperCase(), method), element("code", "/api" + path));
  head.append(element("span", operation.security ? "bearer" : "open", "who"));
  box.append(head, element("p", operation.description ?? operation.summary ?? ""));
  if (operation.parameters) box.append(element("h3", "Parameters"), parameters(operation));
  for (const [kind, body] of Object.entries(operation.requestBody?.content ?? {})) {
    box.append(element("h3", `Body: ${kind}`), element("pre", schemaText(api, body.schema)));
  }
  box.append(element("h3", "Answers"), responses(api, operation));
  return box;
}

async function begin() {
  const answer = await fetch("openapi.json");
  const found = await answer.json();
  document.getElementById("about").textContent = found.info.description;
  const list = document.getElementById("operations");
  let tag;
  for (const [path, operations] of Object.entries(found.paths)) {
    for (const [method, operation] of Object.entries(operations)) {
      if (operation.tags?.[0] !== tag) list.append(element("h2", (tag = operation.tags?.[0])));
      list.append(show(found, path, method, operation));
    }
  }
}

begin();
