// The demo shop's page: opens the widget, passes it a device, and signs customers in as a company's own site would.
"use strict";

const page = document.body.dataset;
const form = document.getElementById("enter");
const entered = document.getElementById("entered");
const trouble = document.getElementById("sign-in-trouble");
const remembered = "demo-customer";

function show(name) {
  form.hidden = Boolean(name);
  entered.hidden = !name;
  entered.querySelector("p").textContent = name ? page.entered.replace("{name}", name) : "";
}

async function token(customer) {
  const answer = await fetch("demo/customer-token", {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify({ customer }),
  });
  if (!answer.ok) throw new Error(String(answer.status));
  return (await answer.json()).token;
}

async function enter(customer, name, open) {
  trouble.textContent = "";
  try {
    window.Jieli.identify(await token(customer));
  } catch {
    sessionStorage.removeItem(remembered);
    show("");
    trouble.textContent = page.failed;
    return;
  }
  sessionStorage.setItem(remembered, JSON.stringify({ customer, name }));
  show(name);
  if (open) window.Jieli.open();
}

form.addEventListener("submit", (event) => {
  event.preventDefault();
  const { value, selectedOptions } = form.elements.customer;
  enter(value, selectedOptions[0].textContent, true);
});

entered.querySelector("button").addEventListener("click", () => {
  sessionStorage.removeItem(remembered);
  show("");
  window.Jieli.identify(null);
});

document.addEventListener("click", ({ target }) => {
  const button = target.closest("[data-open], [data-device], [data-draft]");
  if (!button) return;
  const { device, draft } = button.dataset;
  if (device) window.Jieli.context({ device_model: device });
  window.Jieli.open(draft);
});

const before = JSON.parse(sessionStorage.getItem(remembered) || "null");
if (before) enter(before.customer, before.name, false);
